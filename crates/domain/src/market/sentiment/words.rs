//! The words of `lexicon-1`: our own list. A change to it, or to how it is read, is another version.

use std::{collections::HashSet, sync::LazyLock};

use super::lexicon::Sense::{self, Burden, Event, Move};

/// Words that are looked up.
pub(super) type Words = LazyLock<HashSet<&'static str>>;

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split(' ').collect()
}

/// What a word says, its weight from -4 to 4, and the words; other forms of a word are found by their endings.
pub(super) const WORDS: &[(Sense, i32, &str)] = &[
    (Move, 4, "skyrocket moonshot"),
    (Move, 3, "surge soar rally rocket boom explode spike leap jump rebound pump swell accelerate outperform"),
    (
        Move,
        2,
        "rise rose risen gain climb advance up higher highest grow grew grown growth rip pop bounce recover recovery recovering",
    ),
    (Move, 2, "reclaim double triple top peak record lift boost strengthen expand increase improve outpace uptrend upside"),
    (Move, 1, "tick edge inch high push comeback green bull winner"),
    (Move, -4, "plummet nosedive freefall implode"),
    (Move, -3, "plunge tumble crash collapse slump sink sank sunk dive dove dump bleed bled rout bloodbath"),
    (Move, -2, "fall fell fallen drop slide slid slip decline lose lower lowest down retreat dip weaken shrink shrank"),
    (Move, -2, "crack decrease deteriorate dwindle cut downside downtrend underperform rejection pullback drag"),
    (Move, -1, "low red south correct correction slow ease bear loser"),
    (Event, 4, "bullish euphoria triumph"),
    (Event, 3, "breakthrough victory won approve approval profit profitable thrive flourish celebrate rejoice legalise legalize"),
    (
        Event,
        3,
        "greenlight adopt adoption beat success successful successfully best optimism optimistic excellent amazing fantastic",
    ),
    (
        Event,
        2,
        "inflow accumulate accumulation buyback milestone upgrade partner partnership partnering demand confidence confident good great",
    ),
    (
        Event,
        2,
        "strong stronger strength support supportive secure safe resilient robust healthy dovish attract repay repaid restore",
    ),
    (
        Event,
        2,
        "shine embrace popular opportunity love happy exciting promising impressive solid favour favor favourable favorable",
    ),
    (
        Event,
        2,
        "clarity friendly reward dividend surpass exceed innovation innovative undervalued breakout haven debut cheer hope hopeful",
    ),
    (Event, 1, "buy bought buyer launch integrate integration enjoy win licence license raise unveil enable fresh renew better"),
    (Event, 1, "reserve institutional resume trust clear pour charter pass"),
    (Event, -4, "bearish bankrupt insolvent insolvency catastrophe catastrophic ponzi disaster disastrous meltdown annihilate"),
    (
        Event,
        -3,
        "fake scam exploit steal stole stolen thief breach attack attacker arrest guilty default defraud launder laundering ransomware",
    ),
    (
        Event,
        -3,
        "criminal indict sue ban crackdown depeg panic capitulate capitulation turmoil destroy worthless terrible horrible awful",
    ),
    (
        Event,
        -3,
        "worst devastate devastating wipeout drain liquidate crush slaughter contagion carnage brutal jail prison convict",
    ),
    (Event, -2, "hawkish weak weakness warn warning reject delist halt suspend sanction penalty fine fined"),
    (
        Event,
        -2,
        "probe investigate investigation accuse allege allegation charge violation illegal threaten risky recession crisis",
    ),
    (Event, -2, "suffer struggle trouble problem fail failure bad worse poor poorer hurt damage deficit layoff downgrade resign"),
    (
        Event,
        -2,
        "flee fled quit rattle shock anxiety gloom gloomy doom uncertain uncertainty doubt sceptical skeptical overvalued",
    ),
    (
        Event,
        -2,
        "manipulation mislead misleading vulnerable vulnerability bug misuse freeze frozen limbo veto seize erase fizzle stall vanish",
    ),
    (
        Event,
        -2,
        "phishing hate angry anger sad disappoint disappointing disappointment wipe trap toxic sour squeeze mercy rug dead",
    ),
    (Event, -1, "sell sold seller miss unload pressure weigh tax fade split delay postpone lack tighten slash"),
    (Event, -1, "speculative dispute illiquid caution cautious terror rumour rumor drought lawsuit unlock shut unregistered"),
    (Burden, -3, "hack hacker liquidation fraud loss bubble scandal bankruptcy theft"),
    (Burden, -2, "outflow redemption crime debt leverage fear worry concern threat outage"),
    (Burden, 0, "fee inflation unemployment volatility yield cost jobless tariff"),
];

/// The same for words that only together say something.
pub(super) const PHRASES: &[(Sense, i32, &str)] = &[
    (Move, 4, "all time high, all time highs, to the moon, record high, record highs, golden cross, bull run"),
    (Move, 4, "bull market"),
    (Move, 3, "new high, new highs, new peak, year high, month high, new record, breaks out, broke out"),
    (Move, 3, "break out, best month"),
    (Move, 3, "short squeeze, winning streak, takes off, took off"),
    (Move, 2, "above resistance, clears resistance, clears key resistance, holds support, bottoms out"),
    (Move, 2, "bounces back, bounced back"),
    (Move, -4, "all time low, all time lows, record low, death cross, bear market, flash crash, free fall"),
    (Move, -4, "gives up, gave up, giving up"),
    (Move, -3, "sell off, sell offs, selling off, new low, new lows, year low, month low, monthly low"),
    (Move, -3, "crypto winter, losing streak"),
    (Move, -3, "breaks down, break down, broke down, breaks below, broke below, break below, wiped out"),
    (Move, -3, "wipes out, blows up, blew up"),
    (Move, -2, "dries up, dried up, dry up, drying up, profit taking, falls back, rolls over, loses steam"),
    (Move, -2, "under pressure, flat lining"),
    (Event, 3, "safe haven, in full, of all charges, take control, takes control, buying the dip, buy the dip"),
    (Event, 3, "risk on, fresh money, in profit, crushes expectations, beats estimates, beat estimates"),
    (Event, 3, "tops estimates, beats expectations, drops lawsuit, drops case, drops charges"),
    (Event, 3, "liquidation of shorts"),
    (Event, 2, "rate cut, rate cuts, cuts rates, strategic reserve, short covering, price target"),
    (Event, 2, "proof of reserves, in the clear, exchange outflows, dollar weakens, weaker dollar"),
    (Event, 2, "pile into, piles into, pours into, begins accepting, starts accepting, now accepts"),
    (Event, 2, "adds bitcoin, shrugs off, shrug off"),
    (Event, -4, "rug pull, rug pulls, bank run, pump and dump, exit scam, pleads guilty, pleaded guilty"),
    (Event, -4, "goes bust, went bust"),
    (Event, -3, "halts withdrawals, suspends withdrawals, freezes withdrawals, wash trading, money laundering"),
    (Event, -3, "lays off, laid off, lay off, shuts down, shut down"),
    (Event, -3, "cease and desist, class action, loses peg, loses its peg, dollar strengthens, stronger dollar"),
    (Event, -3, "liquidity crunch, insider trading, files for bankruptcy, chapter 11"),
    (Event, -2, "extreme fear, risk off, rate hike, rate hikes, dusting attack, short seller report"),
    (Event, -2, "under investigation, misses estimates, misses expectations, missed estimates"),
    (Event, 0, "bank holiday, short sellers, short selling, risk appetite, record store, new year"),
    (Burden, -2, "selling pressure, short interest, sell pressure, hack losses"),
    (Burden, 0, "interest rates, gas fees, exchange reserves, energy costs"),
];

/// They turn what follows in the clause into its opposite.
pub(super) static NEGATORS: Words = Words::new(|| {
    set("not no never neither nor none nobody nothing without cannot cant dont wont isnt fail fails failed failing \
         refuse refuses refused unable lack lacks lacked hardly barely unlikely denies denied avoids avoided averts \
         averted dismisses dismissed rejects rejected stop stops end ends")
});

/// They turn what stands before them in the clause into its opposite: a harm that ends is good, a hope that fades is not.
pub(super) static ENDERS: Words = Words::new(|| {
    set("fade fades faded fading ease eases eased easing narrow narrows narrowed unfounded dismissed erased vanish \
         vanishes vanished evaporate evaporates evaporated subside subsides subsided fizzle fizzles fizzled recede \
         recedes receded averted avoided overturned reversed contained stall stalls stalled disappear disappears ends \
         ended stops stopped cools cooled")
});

/// They make the next word, or the one before, stronger.
pub(super) static BOOSTERS: Words = Words::new(|| {
    set("very extremely hugely massive massively huge sharply deeply highly strongly dramatically staggering \
         extraordinary heavy heavily significantly completely totally broad record extreme biggest largest rapidly \
         incredibly really absolutely steep steeply severe severely major strong far great successful")
});

/// They make it weaker.
pub(super) static DAMPERS: Words = Words::new(|| {
    set("slightly slight somewhat modest modestly minor mild mildly marginally marginal little small brief briefly \
         bit edges edge inch inches partly partially tick ticks promises promised early temporary temporarily")
});

/// After what they speak of, they turn it into its opposite: the rally is not over, the rebound lacks strength.
pub(super) static LATE_NEGATORS: Words =
    Words::new(|| set("not never lacks lack lacked fails failed fail unable cannot unlikely"));

/// Right before something good they make it bad: weak demand.
pub(super) static SPOILERS: Words =
    Words::new(|| set("weak weaker poor falling waning fading dwindling slowing soft declining shrinking low lower"));

/// What comes after one of these outweighs what came before.
pub(super) static TURNS: Words = Words::new(|| set("but however yet then though instead"));

/// What one of these introduces is granted, and something else is said.
pub(super) static CONCESSIONS: Words = Words::new(|| set("despite although notwithstanding regardless defies defying shrugs"));

/// Who loses when the market wins.
pub(super) static ADVERSARIES: Words = Words::new(|| set("bears shorts sellers bear"));

/// A sentence that begins with one of these explains or asks.
pub(super) static ASKING: Words = Words::new(|| {
    set("what how why who when where could will is are explainer guide glossary poll history interview calendar \
         survey podcast recap opinion questions quiz")
});

/// What shows that movements are those of a market.
pub(super) static TOPICS: Words = Words::new(|| {
    set("bitcoin btc ether ethereum eth solana sol xrp ripple dogecoin doge cardano ada bnb avalanche polygon \
         polkadot chainlink litecoin toncoin stellar uniswap aave arbitrum tether usdt usdc filecoin aptos sui kaspa \
         cosmos hedera algorand monero tron shiba pepe crypto cryptocurrency cryptocurrencies token coin altcoin \
         stablecoin memecoin nft defi blockchain mining miner exchange trader trading investor investment fund etf \
         stock share market price volume futures option equities bond treasury dollar fed inflation network holder \
         hodler staking staker wallet ledger coinbase binance kraken lender whale leverage liquidation outflow inflow \
         digital earnings revenue shares validator")
});
