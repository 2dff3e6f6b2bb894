//! What is lost with a step that is taken back, for whoever is about to do it.

const LOSSES: [(&str, &str); 31] = [
    ("m20261121_000000_create_exact_types", "nothing"),
    ("m20261121_000001_create_last_known_prices", "the last known prices; they are collected again"),
    ("m20261121_000010_create_users", "ALL ACCOUNTS"),
    ("m20261121_000011_create_sessions", "all sessions: everybody is signed out"),
    ("m20261121_000012_create_sign_in_guards", "what is known of guessed passwords"),
    ("m20261121_000013_create_user_preferences", "everybody's preferences"),
    ("m20261121_000020_create_audit_log", "THE WHOLE AUDIT LOG"),
    ("m20261121_000021_create_audit_chain", "the seals and checkpoints that show that nobody changed the audit log"),
    ("m20261122_000030_add_claims_and_factors", "which addresses are only claimed, and when sessions showed their second factor"),
    ("m20261122_000031_create_outbox_mails", "all letters, sent or not"),
    ("m20261122_000040_create_second_factors", "all second factors and recovery codes: accounts open by the password alone"),
    ("m20261122_000050_create_api_keys", "all API keys"),
    ("m20261122_000060_add_admin_indexes", "nothing; lists of administrators get slower"),
    ("m20261122_000070_create_mail_links", "all links and codes in letters that are under way"),
    ("m20261122_000080_create_wallets", "all linked wallets: who signs in with nothing else cannot any more"),
    ("m20261122_000090_let_links_rest", "which links rest after wrong codes"),
    ("m20261122_000100_index_key_expiry", "nothing; old API keys are found more slowly"),
    ("m20261123_000100_create_price_candles", "THE WHOLE PRICE HISTORY; what providers still have can be fetched again"),
    ("m20261123_000200_create_candle_gaps", "which times providers have no candles of; they are asked again"),
    ("m20261123_000300_create_alert_rules", "all alert rules, and which came true"),
    ("m20261123_000400_create_notifications", "all notifications, what users have set of them, and all webhooks"),
    ("m20261123_000410_note_webhook_calls", "how calls of webhooks went"),
    ("m20261123_000500_create_chat_exchanges", "what users asked the assistant, and what it answered"),
    ("m20261123_000510_create_feedback", "all feedback"),
    ("m20261123_000520_add_users_secured_at", "when accounts were secured: webhooks of before that are called again"),
    ("m20261124_000600_create_monitor_alerts", "what the monitor found, and who looked after it; what goes on is found again"),
    ("m20261124_000700_create_secret_prints", "by which secrets the database is written; the next start takes its own for these"),
    ("m20261124_000800_forget_made_up_candles", "nothing; candles that it removed stay away"),
    ("m20261124_000810_note_alert_sources", "whose prices made alerts come true"),
    ("m20261124_000900_note_when_ends_were_told", "nothing that matters a quarter of an hour later"),
    (
        "m20261124_001000_create_audit_retirements",
        "which months of the audit log were retired: their entries are told as deleted",
    ),
];

/// What is lost when the step of this name is taken back.
#[must_use]
pub fn loss(step: &str) -> Option<&'static str> {
    LOSSES.iter().find(|(name, _)| *name == step).map(|(_, loss)| *loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Migrator, MigratorTrait as _};

    #[test]
    fn of_every_step_it_is_known_what_is_lost_with_it() {
        let steps: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        assert_eq!(LOSSES.map(|(name, _)| name), *steps);
        assert_eq!(loss("m20261121_000010_create_users"), Some("ALL ACCOUNTS"));
    }
}
