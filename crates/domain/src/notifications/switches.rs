//! What a user has switched off in the preferences of the front end.

use super::NotificationKind;

/// The switches among the preferences that are of notifications. They hold beside the settings: something is sent where both allow
/// it. Whatever they are, the inbox keeps everything, and what is of the account's safety follows the settings alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches that have nothing to do with one another")]
pub struct Switches {
    /// Anything at all.
    pub anything: bool,
    /// Letters of what rules wait for.
    pub alert_letters: bool,
    /// What rules wait for.
    pub price_alerts: bool,
    /// News.
    pub news: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { anything: true, alert_letters: true, price_alerts: true, news: true }
    }
}

impl Switches {
    /// Whether the user may be told of this kind.
    #[must_use]
    pub const fn allow(self, kind: NotificationKind) -> bool {
        match kind {
            NotificationKind::SecurityAlert => true,
            NotificationKind::PriceAlert => self.anything && self.price_alerts,
            NotificationKind::NewsUpdate => self.anything && self.news,
            NotificationKind::SystemAlert | NotificationKind::TradeUpdate => self.anything,
        }
    }

    /// Whether the user may be told of this kind by mail.
    #[must_use]
    pub fn allow_letters(self, kind: NotificationKind) -> bool {
        self.allow(kind) && (self.alert_letters || kind != NotificationKind::PriceAlert)
    }
}
