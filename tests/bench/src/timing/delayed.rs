//! Accounts that are delayed, and stay so for as long as they are needed.

use super::{PASSWORD, Tries, WRONG};
use crate::{
    Outcome,
    load::{Client, post},
};
use serde_json::json;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Of each client: while one waits to be delayed again, another is.
const ACCOUNTS: usize = 3;
/// Failures of an account that are free.
const FREE: usize = 20;
/// The delay of the first beyond them; each further one doubles it up to the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(15);
/// A delay that ends sooner is not relied on.
const MARGIN: Duration = Duration::from_secs(3);

struct Account {
    email: String,
    /// The delay goes on at least until, and at most until.
    until: [Instant; 2],
    next: Duration,
}

/// The accounts of one client.
pub(super) struct Delayed(Vec<Account>);

impl Delayed {
    /// Opens them and guesses until they are delayed.
    pub(super) fn begin(tries: &Tries<'_>, client: &mut Client) -> Outcome<Self> {
        let mut all = Vec::new();
        for number in 0..ACCOUNTS {
            let email = format!("guessed{}-{number}@example.org", tries.index);
            let body = json!({"email": email, "password": PASSWORD});
            client.ask(&post(tries.address, "/api/v2/auth/signup", &[], &body))?.expect(201)?;
            for _ in 0..FREE {
                tries.attempt(client, &email, WRONG)?;
            }
            let mut account = Account { email, until: [Instant::now(); 2], next: FIRST };
            account.fail(tries, client)?;
            all.push(account);
        }
        Ok(Self(all))
    }

    /// The address of one that is delayed now and for a while.
    pub(super) fn account(&mut self, tries: &Tries<'_>, client: &mut Client) -> Outcome<&str> {
        loop {
            for account in &mut self.0 {
                if Instant::now() > account.until[1] + MARGIN {
                    account.fail(tries, client)?;
                }
            }
            let now = Instant::now();
            if let Some(at) = self.0.iter().position(|account| now + MARGIN < account.until[0]) {
                return Ok(&self.0[at].email);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Account {
    /// One more wrong guess, while there is no delay.
    fn fail(&mut self, tries: &Tries<'_>, client: &mut Client) -> Outcome<()> {
        let asked = Instant::now();
        tries.attempt(client, &self.email, WRONG)?;
        self.until = [asked + self.next, Instant::now() + self.next];
        self.next = (self.next * 2).min(LONGEST);
        Ok(())
    }
}
