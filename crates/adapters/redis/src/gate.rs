use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use coinlink_domain::shared::{rate_limit::Charge, sliding_window::WindowPolicy};
use coinlink_ports::shared::{Admission, Admitted, BusError, RequestGate, WindowState};
use deadpool_redis::redis::{Cmd, ErrorKind, Pipeline, RedisWrite as _, Script, ServerErrorKind, cmd};
use uuid::Uuid;

use crate::link::RedisLink;

static ADMIT: LazyLock<Lua> = LazyLock::new(|| Lua::new("admit", include_str!("scripts/admit.lua")));
static PEEK: LazyLock<Lua> = LazyLock::new(|| Lua::new("peek", include_str!("scripts/peek.lua")));

/// No request waits longer than this for its admission.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sessions told in one round trip.
const REVOKED_AT_ONCE: usize = 1_000;

/// Bits of the first number that `admit.lua` answers.
const LIMITED: i64 = 1;
const REVOKED: i64 = 2;

/// A script that is called with every request: its commands are written without the copies that [`Script`] makes of each
/// argument.
struct Lua {
    name: &'static str,
    source: &'static str,
    hash: String,
}

impl Lua {
    fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, hash: Script::new(source).get_hash().to_owned() }
    }
}

/// Windows and ended sessions that all nodes share: for each class and subject a sorted set of the moments of its requests, by
/// the clock of Redis; for each session a mark that lapses.
pub struct RedisGate {
    link: RedisLink,
}

impl RedisGate {
    /// The gate behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }

    async fn ask(&self, lua: &Lua, charges: &[(Charge, WindowPolicy)], session: Option<Uuid>) -> Result<Vec<i64>, BusError> {
        let write = |verb, script| self.command(verb, script, charges, session);
        let known = write("EVALSHA", &lua.hash);
        let answer = self.link.run_within(PATIENCE, lua.name, |mut connection| async move {
            match known.query_async(&mut connection).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    write("EVAL", lua.source).query_async(&mut connection).await
                }
                answer => answer,
            }
        });
        answer.await
    }

    fn command(&self, verb: &str, script: &str, charges: &[(Charge, WindowPolicy)], session: Option<Uuid>) -> Cmd {
        let keys = charges.len() + usize::from(session.is_some());
        let mut command = Cmd::with_capacity(3 + keys + 2 * charges.len(), 16 + script.len() + 64 * keys + 20 * charges.len());
        command.arg(verb).arg(script).arg(keys);
        for &(charge, _) in charges {
            command.write_arg_fmt(self.link.keys().window(charge));
        }
        if let Some(session) = session {
            command.write_arg_fmt(self.link.keys().revoked(session));
        }
        for (_, policy) in charges {
            command.arg(policy.limit).arg(i64::try_from(policy.window.whole_microseconds()).unwrap_or(i64::MAX));
        }
        command
    }
}

#[async_trait]
impl RequestGate for RedisGate {
    async fn admit(&self, admission: &Admission) -> Result<Admitted, BusError> {
        let (charges, session) = (&admission.charges, admission.session);
        if charges.is_empty() && session.is_none() {
            return Ok(Admitted { windows: Vec::new(), limited: false, revoked: false });
        }
        admitted(&self.ask(&ADMIT, charges, session).await?, charges.len())
    }

    async fn peek(&self, charges: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError> {
        if charges.is_empty() {
            return Ok(Vec::new());
        }
        let windows = windows(&self.ask(&PEEK, charges, None).await?)?;
        if windows.len() == charges.len() { Ok(windows) } else { Err(not_an_answer()) }
    }

    async fn revoke(&self, sessions: &[Uuid], keep: time::Duration) -> Result<(), BusError> {
        if !keep.is_positive() {
            return Ok(());
        }
        // Redis refuses a moment beyond what 64 bits hold.
        let keep = i64::try_from(keep.whole_milliseconds()).unwrap_or(i64::MAX).clamp(1, i64::MAX / 2);
        for some in sessions.chunks(REVOKED_AT_ONCE) {
            let mut marks = Pipeline::with_capacity(some.len());
            for &session in some {
                let mut mark = cmd("SET");
                mark.write_arg_fmt(self.link.keys().revoked(session));
                mark.arg("").arg("PX").arg(keep);
                marks.add_command(mark).ignore();
            }
            self.link
                .run_within(PATIENCE, "SET", |mut connection| async move { marks.exec_async(&mut connection).await })
                .await?;
        }
        Ok(())
    }
}

fn not_an_answer() -> BusError {
    BusError("an answer of the gate's script that cannot be read".into())
}

fn admitted(answer: &[i64], charges: usize) -> Result<Admitted, BusError> {
    let (&flags, rest) = answer.split_first().ok_or_else(not_an_answer)?;
    let (windows, limited, revoked) = (windows(rest)?, flags & LIMITED != 0, flags & REVOKED != 0);
    let as_many_as_asked = if limited { (1..=charges).contains(&windows.len()) } else { windows.len() == charges };
    if flags & !(LIMITED | REVOKED) != 0 || !as_many_as_asked {
        return Err(not_an_answer());
    }
    Ok(Admitted { windows, limited, revoked })
}

fn windows(figures: &[i64]) -> Result<Vec<WindowState>, BusError> {
    let (pairs, []) = figures.as_chunks::<2>() else { return Err(not_an_answer()) };
    let window = |&[remaining, microseconds]: &[i64; 2]| match (u32::try_from(remaining), microseconds) {
        (Ok(remaining), 0..) => Ok(WindowState { remaining, next_free_in: time::Duration::microseconds(microseconds) }),
        _ => Err(not_an_answer()),
    };
    pairs.iter().map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read_as_the_script_means_it() {
        let window =
            |remaining, milliseconds| WindowState { remaining, next_free_in: time::Duration::milliseconds(milliseconds) };
        let read = admitted(&[0, 9, 60_000_000, 4, 1_500], 2).unwrap();
        let two = vec![window(9, 60_000), WindowState { remaining: 4, next_free_in: time::Duration::microseconds(1_500) }];
        assert_eq!(read, Admitted { windows: two, limited: false, revoked: false });
        let read = admitted(&[3, 0, 1_000], 2).unwrap();
        assert_eq!(read, Admitted { windows: vec![window(0, 1)], limited: true, revoked: true });
        assert!(admitted(&[2], 0).unwrap().revoked);
    }

    #[test]
    fn an_answer_to_another_question_is_an_error() {
        for (answer, charges) in [
            (&[][..], 0),
            (&[0], 1),
            (&[1], 1),
            (&[4, 1, 1], 1),
            (&[-1, 1, 1], 1),
            (&[0, 1, 1, 1], 1),
            (&[0, 1, 1, 1, 1], 1),
            (&[0, -1, 1], 1),
            (&[0, 1 << 32, 1], 1),
            (&[0, 1, -1], 1),
        ] {
            assert!(admitted(answer, charges).is_err(), "{answer:?} to {charges}");
        }
    }

    proptest! {
        #[test]
        fn any_numbers_are_an_answer_to_what_was_asked_or_an_error(
            answer in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..5], 0..9),
            charges in 0_usize..4,
        ) {
            if let Ok(read) = admitted(&answer, charges) {
                prop_assert!(read.windows.len() == charges || read.limited && read.windows.len() < charges);
            }
        }
    }
}
