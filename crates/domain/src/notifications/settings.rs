//! On which ways a user wants to be told of what, and when not.

use std::fmt;

use time::{Duration, OffsetDateTime, Time, UtcOffset};

use super::{NotificationKind, Priority};

/// A part of each day, in the user's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    start: Time,
    end: Time,
}

/// Not two different minutes of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quiet hours have a beginning and another end, each as HH:MM")]
pub struct QuietHoursError;

/// `HH:MM`, and nothing else.
fn minute(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u8>().ok());
    Time::from_hms(digits(hour)??, digits(minute)??, 0).ok()
}

impl QuietHours {
    /// From `HH:MM` to `HH:MM`; over midnight where the end is the earlier.
    pub fn try_new(start: &str, end: &str) -> Result<Self, QuietHoursError> {
        let (start, end) = minute(start).zip(minute(end)).ok_or(QuietHoursError)?;
        if start == end { Err(QuietHoursError) } else { Ok(Self { start, end }) }
    }

    /// `HH:MM` of the beginning.
    #[must_use]
    pub fn start(&self) -> String {
        hours_and_minutes(self.start)
    }

    /// `HH:MM` of the end.
    #[must_use]
    pub fn end(&self) -> String {
        hours_and_minutes(self.end)
    }

    fn contains(&self, at: Time) -> bool {
        if self.start < self.end { self.start <= at && at < self.end } else { at >= self.start || at < self.end }
    }

    /// When they are over, where `now` is within them.
    fn over_at(&self, now: OffsetDateTime, offset: UtcOffset) -> Option<OffsetDateTime> {
        let local = now.checked_to_offset(offset)?;
        if !self.contains(local.time()) {
            return None;
        }
        let today = local.replace_time(self.end);
        if today > local { Some(today) } else { today.checked_add(Duration::DAY) }
    }
}

fn hours_and_minutes(at: Time) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// How far a user's clock is from UTC, in whole minutes: at most 14 hours. Fixed: it knows no daylight saving time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset(i16);

/// No offset of a clock anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time zone is UTC, or an offset from it such as +02:00")]
pub struct ClockOffsetError;

impl ClockOffset {
    /// None at all.
    pub const UTC: Self = Self(0);
    const FARTHEST: i16 = 14 * 60;

    /// `UTC`, `Z`, or an offset such as `+02:00`.
    pub fn try_new(text: &str) -> Result<Self, ClockOffsetError> {
        if text == "UTC" || text == "Z" {
            return Ok(Self::UTC);
        }
        let (sign, rest) = match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => return Err(ClockOffsetError),
        };
        let at = minute(rest).ok_or(ClockOffsetError)?;
        Self::of_minutes(sign * (i16::from(at.hour()) * 60 + i16::from(at.minute())))
    }

    /// So many minutes east of UTC.
    pub fn of_minutes(minutes: i16) -> Result<Self, ClockOffsetError> {
        if (-Self::FARTHEST..=Self::FARTHEST).contains(&minutes) { Ok(Self(minutes)) } else { Err(ClockOffsetError) }
    }

    /// Minutes east of UTC.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }

    fn offset(self) -> UtcOffset {
        UtcOffset::from_whole_seconds(i32::from(self.0) * 60).unwrap_or(UtcOffset::UTC)
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("UTC");
        }
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// What a user has set. Whatever is set, the inbox keeps everything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches that have nothing to do with one another")]
pub struct NotificationSettings {
    /// By mail, to an address that is the user's own.
    pub email_enabled: bool,
    /// By frames to open sockets, and by webhooks.
    pub push_enabled: bool,
    /// Of what rules wait for.
    pub price_alerts: bool,
    /// Of news.
    pub news_updates: bool,
    /// Of the service.
    pub system_alerts: bool,
    /// Of the portfolio.
    pub trade_updates: bool,
    /// Of the account.
    pub security_alerts: bool,
    /// When mail and webhooks wait.
    pub quiet_hours: Option<QuietHours>,
    /// In which time.
    pub clock: ClockOffset,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            email_enabled: true,
            push_enabled: true,
            price_alerts: true,
            news_updates: true,
            system_alerts: true,
            trade_updates: true,
            security_alerts: true,
            quiet_hours: None,
            clock: ClockOffset::UTC,
        }
    }
}

impl NotificationSettings {
    /// Whether the user wants to be told of this kind at all.
    #[must_use]
    pub const fn wants(&self, kind: NotificationKind) -> bool {
        match kind {
            NotificationKind::PriceAlert => self.price_alerts,
            NotificationKind::NewsUpdate => self.news_updates,
            NotificationKind::SystemAlert => self.system_alerts,
            NotificationKind::TradeUpdate => self.trade_updates,
            NotificationKind::SecurityAlert => self.security_alerts,
        }
    }

    /// When mail and webhooks may disturb: now, or when quiet hours are over. What is critical does not wait.
    #[must_use]
    pub fn may_disturb_at(&self, priority: Priority, now: OffsetDateTime) -> OffsetDateTime {
        let quiet = self.quiet_hours.filter(|_| priority != Priority::Critical);
        quiet.and_then(|quiet| quiet.over_at(now, self.clock.offset())).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn quiet(start: &str, end: &str, clock: &str) -> NotificationSettings {
        let clock = ClockOffset::try_new(clock).unwrap();
        NotificationSettings { quiet_hours: Some(QuietHours::try_new(start, end).unwrap()), clock, ..Default::default() }
    }

    #[test]
    fn quiet_hours_over_midnight_hold_back_until_the_morning() {
        let it = quiet("22:00", "08:00", "UTC");
        let at = |now| it.may_disturb_at(Priority::High, now);
        assert_eq!(at(datetime!(2026-11-21 21:59:59 UTC)), datetime!(2026-11-21 21:59:59 UTC));
        assert_eq!(at(datetime!(2026-11-21 22:00 UTC)), datetime!(2026-11-22 8:00 UTC));
        assert_eq!(at(datetime!(2026-11-22 7:59:59 UTC)), datetime!(2026-11-22 8:00 UTC));
        assert_eq!(at(datetime!(2026-11-22 8:00 UTC)), datetime!(2026-11-22 8:00 UTC));
    }

    #[test]
    fn quiet_hours_are_hours_of_the_users_own_clock() {
        let it = quiet("12:00", "13:30", "+05:30");
        assert_eq!(it.may_disturb_at(Priority::Low, datetime!(2026-11-21 6:45 UTC)), datetime!(2026-11-21 8:00 UTC));
        assert_eq!(it.may_disturb_at(Priority::Low, datetime!(2026-11-21 12:45 UTC)), datetime!(2026-11-21 12:45 UTC));
    }

    #[test]
    fn what_is_critical_does_not_wait() {
        let now = datetime!(2026-11-21 23:00 UTC);
        assert_eq!(quiet("22:00", "08:00", "UTC").may_disturb_at(Priority::Critical, now), now);
    }

    #[test]
    fn of_texts_only_minutes_of_a_day_are_taken() {
        for (start, end) in [("8:00", "09:00"), ("08:00", "24:00"), ("08:60", "09:00"), ("+8:00", "09:00"), ("08:00", "08:00")] {
            QuietHours::try_new(start, end).unwrap_err();
        }
        for clock in ["", "02:00", "+2:00", "+14:01", "-15:00", "+é:00", "Europe/Berlin"] {
            ClockOffset::try_new(clock).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn nothing_is_held_back_for_more_than_a_day_or_let_out_within_quiet_hours(
            start in 0_u16..1440, end in 0_u16..1440, offset in -840_i16..=840, now in 1_700_000_000_i64..1_900_000_000,
        ) {
            let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            prop_assume!(start != end);
            let clock = ClockOffset::of_minutes(offset).unwrap();
            let quiet_hours = QuietHours::try_new(&text(start), &text(end)).unwrap();
            let it = NotificationSettings { quiet_hours: Some(quiet_hours), clock, ..Default::default() };
            let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
            let at = it.may_disturb_at(Priority::High, now);
            prop_assert!(now <= at && at - now < Duration::DAY);
            prop_assert_eq!(it.may_disturb_at(Priority::High, at), at);
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "(UTC|[+-][0-9]{2}:[0-9]{2}|.{0,8})") {
            if let Ok(clock) = ClockOffset::try_new(&text) {
                prop_assert_eq!(ClockOffset::try_new(&clock.to_string()), Ok(clock));
            }
        }
    }
}
