//! What people call assets.

/// Names of what the front end shows, for the times when no source tells any: symbol, name for people, other names.
pub(super) const NAMES: [(&str, &str, &[&str]); 50] = [
    ("BTC", "Bitcoin", &["xbt"]),
    ("ETH", "Ethereum", &["ether"]),
    ("SOL", "Solana", &[]),
    ("BNB", "BNB", &["binance coin", "binancecoin"]),
    ("XRP", "XRP", &["ripple"]),
    ("DOGE", "Dogecoin", &[]),
    ("ADA", "Cardano", &[]),
    ("AVAX", "Avalanche", &[]),
    ("TRX", "TRON", &[]),
    ("LINK", "Chainlink", &[]),
    ("DOT", "Polkadot", &[]),
    ("MATIC", "Polygon", &[]),
    ("TON", "Toncoin", &[]),
    ("SHIB", "Shiba Inu", &["shiba"]),
    ("LTC", "Litecoin", &[]),
    ("UNI", "Uniswap", &[]),
    ("BCH", "Bitcoin Cash", &[]),
    ("XLM", "Stellar", &["stellar lumens", "lumens"]),
    ("ATOM", "Cosmos", &["cosmos hub"]),
    ("NEAR", "NEAR Protocol", &[]),
    ("XMR", "Monero", &[]),
    ("OP", "Optimism", &[]),
    ("ARB", "Arbitrum", &[]),
    ("FIL", "Filecoin", &[]),
    ("APT", "Aptos", &[]),
    ("HBAR", "Hedera", &[]),
    ("CRO", "Cronos", &[]),
    ("VET", "VeChain", &[]),
    ("MKR", "Maker", &["makerdao"]),
    ("KAS", "Kaspa", &[]),
    ("INJ", "Injective", &[]),
    ("RUNE", "THORChain", &[]),
    ("GRT", "The Graph", &[]),
    ("THETA", "Theta Network", &[]),
    ("FTM", "Fantom", &[]),
    ("ALGO", "Algorand", &[]),
    ("LDO", "Lido DAO", &["lido"]),
    ("IMX", "Immutable", &["immutable x"]),
    ("SUI", "Sui", &[]),
    ("SEI", "Sei", &[]),
    ("MANA", "Decentraland", &[]),
    ("SAND", "The Sandbox", &[]),
    ("AXS", "Axie Infinity", &["axie"]),
    ("AAVE", "Aave", &[]),
    ("EOS", "EOS", &[]),
    ("QNT", "Quant", &[]),
    ("FLOW", "Flow", &[]),
    ("CHZ", "Chiliz", &[]),
    ("RNDR", "Render", &[]),
    ("SNX", "Synthetix", &[]),
];

/// Words of every day that are symbols or names of some asset too: they mean it only where something else says so.
const ORDINARY: &[&str] = &[
    "about", "ace", "act", "after", "all", "and", "any", "apt", "are", "around", "ask", "auto", "bank", "base", "bat", "beam",
    "best", "bit", "blur", "bond", "bounce", "buy", "cake", "cap", "cash", "cat", "change", "chart", "chat", "cheap", "check",
    "clear", "coin", "coins", "compare", "core", "cost", "cow", "crypto", "cult", "current", "dash", "data", "day", "dent",
    "did", "does", "dog", "dot", "down", "edge", "elf", "erg", "fast", "find", "flow", "flux", "for", "from", "front", "fun",
    "gain", "gas", "get", "give", "gods", "gold", "grass", "great", "grin", "has", "have", "heat", "help", "her", "here", "hey",
    "high", "him", "his", "hive", "hold", "home", "hook", "hot", "hour", "how", "icon", "idea", "into", "iris", "its", "jam",
    "joe", "just", "key", "kin", "know", "last", "less", "let", "life", "like", "link", "lit", "live", "long", "look", "low",
    "luna", "magic", "maker", "many", "map", "market", "mask", "mean", "meta", "mine", "mint", "mob", "more", "most", "move",
    "much", "muse", "nano", "near", "need", "neon", "new", "news", "now", "ocean", "off", "okay", "old", "one", "only", "open",
    "optimism", "orange", "orbs", "order", "origin", "our", "out", "over", "people", "perp", "plan", "please", "poly", "port",
    "power", "price", "prime", "prom", "pump", "push", "quick", "rad", "rank", "rare", "rate", "ray", "real", "reef", "render",
    "rep", "rich", "rise", "rose", "round", "route", "safe", "sand", "say", "see", "sell", "send", "she", "short", "show", "sky",
    "slow", "some", "sonic", "space", "spell", "stacks", "star", "storm", "story", "strong", "such", "sun", "super", "swap",
    "synapse", "tell", "than", "thanks", "that", "the", "them", "then", "they", "this", "time", "today", "ton", "top", "trade",
    "tree", "trump", "trust", "two", "use", "usual", "value", "vet", "via", "view", "volt", "volume", "want", "was", "wax",
    "way", "week", "well", "were", "what", "when", "who", "why", "wild", "will", "win", "with", "woo", "work", "world", "worth",
    "you", "your", "zero",
];

/// Whether `word` (in lower case) is said every day without meaning an asset.
pub(super) fn is_ordinary(word: &str) -> bool {
    word.chars().nth(2).is_none() || ORDINARY.contains(&word)
}

/// The name for people that everybody knows.
pub(in crate::assistant) fn name_of(symbol: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, ..)| *known == symbol).map(|(_, name, _)| *name)
}
