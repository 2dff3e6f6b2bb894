//! Years of price history in a PostgreSQL of the benchmark's own: how long it takes to read a day of minutes and a year of days, by the
//! same adapter that the server uses.

mod made_up;

use crate::{
    Outcome,
    table::{self, Goal, Limit, say},
};
use coinlink_domain::market::{
    Symbol,
    candles::{Interval, Span},
};
use coinlink_ports::market::{CandleQuery, CandleStore as _, Keep};
use coinlink_postgres::{ConnectSettings, Database, SqlCandles};
use coinlink_testkit::servers::PrivatePostgres;
use made_up::{MadeUp, SYMBOLS};
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, postgres::PgConnection};
use std::time::Instant;
use time::{Date, Duration, OffsetDateTime, Time};

/// What is told of the loading, in months.
const TOLD_EVERY: u32 = 6;
/// Bytes sent at once.
const CHUNK: usize = 1 << 20;

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// Months of minutes; 60 are five years, and 17 GB on the disk.
    #[arg(long, default_value_t = 3)]
    months: u32,
    /// Assets, 50 at most.
    #[arg(long, default_value_t = 50)]
    symbols: usize,
    /// Reads of each query; every one of another asset and, of minutes, another day of the last thirty.
    #[arg(long, default_value_t = 300)]
    reads: usize,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

impl Plan {
    pub(crate) fn run(self) -> Outcome<()> {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(self.measure())
    }

    async fn measure(self) -> Outcome<()> {
        let server = PrivatePostgres::start().await;
        let place = server.fresh_database().await;
        let mut connection = PgConnection::connect(&place.url).await?;
        let end = first_of_month(OffsetDateTime::now_utc());
        let begun = Instant::now();
        let rows = self.load(&mut connection, end).await?;
        say(&format!("{rows} candles of a minute in {:.0} s", begun.elapsed().as_secs_f64()))?;
        connection.execute("ANALYZE price_candles_1m, price_candles_1h, price_candles_1d").await?;
        let sizes = "SELECT 'price_candles_' || kind || ': ' || pg_size_pretty(sum(pg_table_size(relid))) || ' and ' || \
                     pg_size_pretty(sum(pg_indexes_size(relid))) || ' of indexes' \
                     FROM unnest(ARRAY['1m', '1h', '1d']) AS kind, pg_partition_tree('price_candles_' || kind) GROUP BY kind";
        for row in connection.fetch_all(sizes).await? {
            say(&row.try_get::<String, _>(0)?)?;
        }
        let store = SqlCandles::new(Database::connect(&ConnectSettings::new(&place.url)).await?);
        let day = self.read(&store, "24 hours of minutes", (Interval::Minute, Duration::DAY, end)).await?;
        let year = self.read(&store, "a year of days", (Interval::Day, Duration::days(365), end)).await?;
        let goals = [day.goal(10.0), year.goal(20.0)];
        table::print(&["query", "rows", "first ms", "median ms", "p99 ms", "most ms"], &[day.row(), year.row()])?;
        for timed in [&day, &year] {
            say(&format!("\n{}:", timed.what))?;
            for line in &timed.plan {
                say(line)?;
            }
        }
        table::judge(&goals, self.check)
    }

    /// A month in one transaction each: made as the server makes it, and filled with COPY.
    async fn load(&self, connection: &mut PgConnection, end: OffsetDateTime) -> Outcome<u64> {
        let mut rows = 0;
        let mut made_up = MadeUp::new(self.symbols);
        let mut month = (0..self.months).fold(end, |month, _| first_of_month(month - Duration::DAY));
        let mut done = 0;
        while month < end {
            let next = first_of_month(month + Duration::days(32));
            let mut transaction = connection.begin().await?;
            let ensure = format!("SELECT price_candles_ensure_month(kind, '{month}') FROM unnest(ARRAY['1m', '1h']) AS kind");
            transaction.execute(AssertSqlSafe(ensure)).await?;
            let name = format!("price_candles_1m_{}_{:02}", month.year(), u8::from(month.month()));
            let mut copy = transaction.copy_in_raw(&format!("COPY {name} FROM STDIN WITH (FREEZE)")).await?;
            let mut text = Vec::with_capacity(CHUNK * 2);
            let mut at = month;
            while at < next {
                made_up.minute(at, &mut text);
                if text.len() >= CHUNK {
                    copy.send(&text[..]).await?;
                    text.clear();
                }
                at += Duration::MINUTE;
            }
            copy.send(&text[..]).await?;
            rows += copy.finish().await?;
            for (kind, longer) in made_up.take_longer() {
                let mut copy = transaction.copy_in_raw(&format!("COPY price_candles_{kind} FROM STDIN")).await?;
                copy.send(&longer[..]).await?;
                copy.finish().await?;
            }
            transaction.commit().await?;
            (month, done) = (next, done + 1);
            if done % TOLD_EVERY == 0 {
                say(&format!("{done} of {} months", self.months))?;
            }
        }
        Ok(rows)
    }

    async fn read(&self, store: &SqlCandles, what: &'static str, asked: (Interval, Duration, OffsetDateTime)) -> Outcome<Timed> {
        let (interval, length, end) = asked;
        let query = |turn: usize| -> Outcome<CandleQuery> {
            // Of a year of days there is one; of minutes each turn looks at another day.
            let back = if interval == Interval::Minute { i64::try_from(turn % 30)? } else { 0 };
            let to = end - Duration::days(back);
            Ok(CandleQuery {
                symbol: Symbol::try_new(SYMBOLS[turn % self.symbols])?,
                interval,
                span: Span { from: to - length, to },
                limit: 1_440,
                keep: Keep::Newest,
                now: end,
            })
        };
        // A connection, and what it prepares.
        store.newest(&Symbol::btc(), Interval::Hour).await?;
        let (mut times, mut rows) = (Vec::new(), 0);
        for turn in 0..self.reads {
            let query = query(turn)?;
            let begun = Instant::now();
            rows = store.read(&query).await?.len();
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        let plan = store.plan(&query(7)?).await?;
        Ok(Timed { what, rows, times, plan })
    }
}

struct Timed {
    what: &'static str,
    rows: usize,
    times: Vec<f64>,
    plan: Vec<String>,
}

impl Timed {
    fn at(&self, share: f64) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or(0.0)
    }

    fn row(&self) -> Vec<String> {
        let first = self.times.first().copied().unwrap_or(0.0);
        let figures = [first, self.at(0.5), self.at(0.99), self.at(1.0)].map(|ms| format!("{ms:.2}"));
        [self.what.to_owned(), self.rows.to_string()].into_iter().chain(figures).collect()
    }

    fn goal(&self, most: f64) -> Goal {
        Goal { what: format!("{}, median ms", self.what), value: self.at(0.5), limit: Limit::AtMost(most) }
    }
}

fn first_of_month(at: OffsetDateTime) -> OffsetDateTime {
    let day = Date::from_calendar_date(at.year(), at.month(), 1).unwrap_or(at.date());
    day.with_time(Time::MIDNIGHT).assume_utc()
}
