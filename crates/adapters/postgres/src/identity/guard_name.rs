//! What a counter of failed attempts is called in its table.

use std::fmt::Write as _;

use coinlink_domain::identity::GuardKey;
use sha2::{Digest as _, Sha256};

/// What is counted, and a digest of for whom: addresses of strangers who merely mistyped theirs are not kept.
pub(super) fn name(key: &GuardKey) -> String {
    // No part holds a space, so that different parts never make the same text.
    let (scope, parts) = match key {
        GuardKey::Account(email) => ("account", email.to_string()),
        GuardKey::Address(ip) => ("address", ip.to_string()),
        GuardKey::Pair(email, ip) => ("pair", format!("{email} {ip}")),
        GuardKey::Device(email, device) => ("device", format!("{email} {device}")),
        GuardKey::SecondFactor(user) => ("second_factor", user.to_string()),
        GuardKey::SessionFactor(session) => ("session_factor", session.to_string()),
    };
    let mut name = format!("{scope}:");
    for byte in Sha256::digest(parts) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use coinlink_domain::identity::{Email, SessionId, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_key_has_a_name_of_its_own_that_tells_nobodys_address() {
        let emails = ["ada@example.org", "bob@example.org"].map(|email| Email::try_new(email).unwrap());
        let ips = ["192.0.2.1", "2001:db8::"].map(|ip| ip.parse().unwrap());
        let mut keys: Vec<GuardKey> = ips.into_iter().map(GuardKey::Address).collect();
        keys.extend([GuardKey::SecondFactor(UserId(Uuid::nil())), GuardKey::SessionFactor(SessionId(Uuid::nil()))]);
        for email in &emails {
            keys.push(GuardKey::Account(email.clone()));
            keys.push(GuardKey::Device(email.clone(), Uuid::nil()));
            keys.extend(ips.map(|ip| GuardKey::Pair(email.clone(), ip)));
        }
        let names: HashSet<String> = keys.iter().map(name).collect();
        assert_eq!(names.len(), keys.len());
        assert!(names.iter().all(|name| !name.contains("ada") && !name.contains("192") && name.len() <= 80), "{names:?}");
    }

    #[test]
    fn names_stay_the_same_from_one_release_to_the_next() {
        let key = GuardKey::Account(Email::try_new("ada@example.org").unwrap());
        assert_eq!(name(&key), "account:cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d");
    }
}
