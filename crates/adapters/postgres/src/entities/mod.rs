#![expect(unreachable_pub, reason = "sea-orm's derives want `pub`")]

pub(crate) mod alert_progress;
pub(crate) mod alert_rules;
pub(crate) mod api_keys;
pub(crate) mod audit_checkpoints;
pub(crate) mod audit_log;
pub(crate) mod audit_seals;
pub(crate) mod candle_gaps;
pub(crate) mod chat_exchanges;
pub(crate) mod feedback;
pub(crate) mod fired_alerts;
pub(crate) mod last_known_prices;
pub(crate) mod mail_links;
pub(crate) mod notification_deliveries;
pub(crate) mod notification_settings;
pub(crate) mod notifications;
pub(crate) mod outbox_mails;
pub(crate) mod recovery_codes;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod sign_in_guards;
pub(crate) mod sign_in_tickets;
pub(crate) mod user_preferences;
pub(crate) mod users;
pub(crate) mod wallet_challenges;
pub(crate) mod wallets;
pub(crate) mod webhooks;
