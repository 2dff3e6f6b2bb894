#![expect(unreachable_pub, reason = "sea-orm's derives want `pub`")]

pub(crate) mod audit_log;
pub(crate) mod last_known_prices;
