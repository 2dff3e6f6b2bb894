//! Accounts of the server under test.

use crate::{
    Outcome,
    load::{Client, in_parallel, post},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, thread, time::Duration};

pub(crate) const PASSWORD: &str = "Correct-horse-9-battery";

/// Hashes take a core each, and few of them may wait.
const AT_ONCE: usize = 4;

const BUSY: Duration = Duration::from_secs(1);

/// An account and its first session.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Holder {
    /// What a GET of theirs says besides.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.access)
    }
}

/// The text at `pointer` of a JSON body.
pub(crate) fn text(body: &[u8], pointer: &str) -> Outcome<String> {
    let body: Value = serde_json::from_slice(body)?;
    let text = body.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer} in {body}"))?;
    Ok(text.to_owned())
}

/// Opens `count` accounts `<name><n>@example.org` with [`PASSWORD`].
pub(crate) fn open(address: SocketAddr, name: &str, count: usize) -> Outcome<Vec<Holder>> {
    open_as(address, name, count, |_| None)
}

/// The same, each from an address of its own: nobody is refused because others signed up before.
pub(crate) fn open_from_everywhere(address: SocketAddr, name: &str, count: usize) -> Outcome<Vec<Holder>> {
    open_as(address, name, count, |number| Some(elsewhere(number)))
}

fn open_as(address: SocketAddr, name: &str, count: usize, from: impl Fn(usize) -> Option<String> + Sync) -> Outcome<Vec<Holder>> {
    let some = |first: usize| -> Outcome<Vec<(usize, Holder)>> {
        let mut client = Client::open(address, first)?;
        (first..count)
            .step_by(AT_ONCE)
            .map(|number| {
                Ok((number, sign_up(&mut client, address, format!("{name}{number}@example.org"), from(number).as_deref())?))
            })
            .collect()
    };
    let mut holders: Vec<_> = in_parallel(AT_ONCE, some)?.into_iter().flatten().collect();
    holders.sort_unstable_by_key(|(number, _)| *number);
    Ok(holders.into_iter().map(|(_, holder)| holder).collect())
}

fn sign_up(client: &mut Client, address: SocketAddr, email: String, from: Option<&str>) -> Outcome<Holder> {
    let headers: Vec<_> = from.iter().map(|from| ("x-forwarded-for", *from)).collect();
    let request = post(address, "/api/v2/auth/signup", &headers, &json!({"email": email, "password": PASSWORD}));
    let body = loop {
        let answer = client.ask(&request)?;
        // The machine does something else as well: the queue of passwords asks for patience.
        if answer.status != 503 {
            break answer.expect(201)?.body;
        }
        thread::sleep(BUSY);
    };
    Ok(Holder { email, access: text(&body, "/tokens/access_token")?, refresh: text(&body, "/tokens/refresh_token")? })
}

/// A try to sign in from `from`, an address that a trusted proxy tells of.
pub(crate) fn sign_in(address: SocketAddr, email: &str, password: &str, from: &str) -> Vec<u8> {
    let headers = [("x-forwarded-for", from)];
    post(address, "/api/v2/auth/login", &headers, &json!({"email": email, "password": password}))
}

/// The `number`th address in 10.0.0.0/8, so that nobody comes from where another does.
pub(crate) fn elsewhere(number: usize) -> String {
    let [_, a, b, c] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    format!("10.{a}.{b}.{c}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_differ() {
        assert_eq!([elsewhere(1), elsewhere(256), elsewhere(65_536)], ["10.0.0.1", "10.0.1.0", "10.1.0.0"]);
    }
}
