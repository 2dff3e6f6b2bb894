//! Prices that wander, the same in every run.

use std::{fmt::Write as _, io::Write as _, mem};
use time::{Duration, OffsetDateTime};

/// Whose they are said to be.
pub(super) const SYMBOLS: [&str; 50] = coinlink_domain::market::DEFAULT_UNIVERSE;

/// Dollars are told to the hundred-thousandth of a cent, as they come from providers.
const SCALE: u64 = 10_000_000;

#[derive(Clone, Copy)]
struct Running {
    open: u64,
    high: u64,
    low: u64,
    close: u64,
    /// In thousandths.
    volume: u64,
}

/// Each asset's price, and its running hour and day.
pub(super) struct MadeUp {
    prices: Vec<u64>,
    hours: Vec<Option<Running>>,
    days: Vec<Option<Running>>,
    hours_text: Vec<u8>,
    days_text: Vec<u8>,
    drawn: u64,
}

impl MadeUp {
    pub(super) fn new(symbols: usize) -> Self {
        let symbols = symbols.clamp(1, SYMBOLS.len());
        // From 97,000 dollars down to fractions of a cent.
        let prices = (0..symbols).map(|n| 97_000 * SCALE / 3_u64.pow(u32::try_from(n % 17).unwrap_or(0))).collect();
        let none = vec![None; symbols];
        Self {
            prices,
            hours: none.clone(),
            days: none,
            hours_text: Vec::new(),
            days_text: Vec::new(),
            drawn: 0x9E37_79B9_7F4A_7C15,
        }
    }

    /// Xorshift: what matters is that pages hold different digits.
    fn draw(&mut self) -> u64 {
        self.drawn ^= self.drawn << 13;
        self.drawn ^= self.drawn >> 7;
        self.drawn ^= self.drawn << 17;
        self.drawn
    }

    /// Every asset's minute that opens at `at`, as COPY takes it.
    pub(super) fn minute(&mut self, at: OffsetDateTime, text: &mut Vec<u8>) {
        let opens = time_text(at);
        let (is_hours_last, is_days_last) = (at.minute() == 59, at.minute() == 59 && at.hour() == 23);
        for (n, symbol) in SYMBOLS.iter().enumerate().take(self.prices.len()) {
            let drawn = self.draw();
            let open = self.prices[n];
            let step = open / 2_000 + 1;
            let moved = |bits: u32| (drawn >> bits & 0xFFF) * step / 0xFFF;
            let close = (open + moved(0)).saturating_sub(step / 2).max(1_000);
            let (high, low) = (open.max(close) + moved(12), open.min(close).saturating_sub(moved(24)).max(1));
            self.prices[n] = close;
            let minute = Running { open, high, low, close, volume: drawn >> 36 & 0xF_FFFF };
            row(text, &opens, symbol, &minute);
            let hour = join(&mut self.hours[n], minute);
            let day = join(&mut self.days[n], minute);
            if is_hours_last {
                row(&mut self.hours_text, &time_text(at - Duration::minutes(59)), symbol, &hour);
                self.hours[n] = None;
            }
            if is_days_last {
                row(&mut self.days_text, &time_text(at - Duration::minutes(1_439)), symbol, &day);
                self.days[n] = None;
            }
        }
    }

    /// The hours and days that ended since it was last asked.
    pub(super) fn take_longer(&mut self) -> [(&'static str, Vec<u8>); 2] {
        [("1h", mem::take(&mut self.hours_text)), ("1d", mem::take(&mut self.days_text))]
    }
}

fn join(running: &mut Option<Running>, minute: Running) -> Running {
    let joined = running.map_or(minute, |running| Running {
        open: running.open,
        high: running.high.max(minute.high),
        low: running.low.min(minute.low),
        close: minute.close,
        volume: running.volume + minute.volume,
    });
    *running = Some(joined);
    joined
}

fn time_text(at: OffsetDateTime) -> String {
    let mut text = String::with_capacity(24);
    // Writing to a String or a Vec does not fail.
    let _ = write!(text, "{}T{:02}:{:02}:00Z", at.date(), at.hour(), at.minute());
    text
}

/// In the order of the table's columns.
fn row(text: &mut Vec<u8>, opens: &str, symbol: &str, candle: &Running) {
    let [open, high, low, close] =
        [candle.open, candle.high, candle.low, candle.close].map(|price| (price / SCALE, price % SCALE));
    let (whole, rest) = (candle.volume / 1_000, candle.volume % 1_000);
    let _ = writeln!(
        text,
        "{opens}\t{symbol}\t{}.{:07}\t{}.{:07}\t{}.{:07}\t{}.{:07}\t{whole}.{rest:03}\tticks",
        open.0, open.1, high.0, high.1, low.0, low.1, close.0, close.1
    );
}
