//! What the user has chosen: what of the phone follows into the book, what stays private, and how often it syncs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use callbook_base::{Line, Timestamp};
use callbook_contacts::Fields;
use callbook_dedup::{NumberKey, number_key};
use serde::{Deserialize, Serialize};

use crate::provider::Account;

const MINUTE: i64 = 60_000;
const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// What the user has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Callbook's own account on this phone; without one the phone's contacts are left alone.
    pub account: Option<Account>,
    /// Contacts of other accounts.
    pub follow: Follow,
    /// Calls.
    pub calls: WhichCalls,
    /// What the phone's lines are called, by `PHONE_ACCOUNT_ID`: `sim-1`. Others have no name.
    pub lines: BTreeMap<String, Line>,
    /// What never leaves the phone.
    pub private: Private,
    /// How long from the end of a sync to the next.
    pub interval: Interval,
}

/// Which contacts of other accounts follow into the book.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// None: what people save in Callbook's account alone.
    None,
    /// Of these accounts; `None` stands for contacts of the device itself.
    Chosen(Vec<Option<Account>>),
    /// Of all accounts.
    #[default]
    All,
}

/// Which calls follow into the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichCalls {
    /// None.
    None,
    /// Those with a number that a contact of the book has.
    InBook,
    /// All.
    #[default]
    All,
}

/// What never leaves the phone. What has left it before stays in the book.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Contacts with one of these: a number in any spelling, an address of mail, or, for contacts without them, a
    /// name. Calls with one of these numbers.
    pub entries: BTreeSet<Line>,
    /// Calls that begin within these.
    pub hours: Vec<Hours>,
}

/// Hours of the phone's own time, on some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The days on which they begin, Monday first.
    pub days: [bool; 7],
    /// The minute of the day at which they begin.
    pub from: u16,
    /// The minute before which they end: of the next day when it is not after the first.
    pub to: u16,
}

/// How long from the end of a sync to the next, in minutes: 15 to 1,440, or never, so that only changes and people
/// start one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<u16>", into = "Option<u16>")]
pub struct Interval(Option<u16>);

impl Interval {
    /// Never.
    pub const NEVER: Self = Self(None);

    /// So many minutes; below 15 is 15, above 1,440 is 1,440.
    pub fn minutes(minutes: u16) -> Self {
        Self(Some(minutes.clamp(15, 1_440)))
    }

    /// `None` is never.
    pub fn duration(self) -> Option<Duration> {
        self.0.map(|minutes| Duration::from_secs(60 * u64::from(minutes)))
    }
}

impl Default for Interval {
    fn default() -> Self {
        Self(Some(30))
    }
}

impl From<Option<u16>> for Interval {
    fn from(minutes: Option<u16>) -> Self {
        minutes.map_or(Self::NEVER, Self::minutes)
    }
}

impl From<Interval> for Option<u16> {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

impl Settings {
    pub(crate) fn is_own(&self, account: Option<&Account>) -> bool {
        account.is_some() && account == self.account.as_ref()
    }

    /// Whether contacts of this account follow into the book. Those of another Callbook account are of another
    /// book.
    pub(crate) fn follows(&self, account: Option<&Account>) -> bool {
        let own = self.account.as_ref();
        let is_of_callbook = account.zip(own).is_some_and(|(it, own)| it.r#type == own.r#type);
        !is_of_callbook
            && match &self.follow {
                Follow::None => false,
                Follow::Chosen(accounts) => accounts.iter().any(|it| it.as_ref() == account),
                Follow::All => true,
            }
    }
}

impl Hours {
    /// Whether a time lies within them, on a phone whose time is so many minutes ahead of UTC.
    pub(crate) fn contain(self, time: Timestamp, utc_offset: i64) -> bool {
        let minutes = time.as_millis().div_euclid(MINUTE) + utc_offset;
        let (day, minute) =
            (minutes.div_euclid(MINUTES_OF_A_DAY), minutes.rem_euclid(MINUTES_OF_A_DAY));
        // 1970 began on a Thursday.
        let begins = |day: i64| self.days[(day + 3).rem_euclid(7) as usize];
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        match from < to {
            true => begins(day) && (from..to).contains(&minute),
            false => (begins(day) && minute >= from) || (begins(day - 1) && minute < to),
        }
    }
}

/// Numbers and other texts, found in any spelling.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    keys: BTreeSet<NumberKey>,
    texts: BTreeSet<Line>,
}

impl Entries {
    pub(crate) fn insert(&mut self, text: &Line, region: &Line) {
        self.keys.extend(number_key(text.as_str(), region.as_str()));
        self.texts.insert(text.clone());
    }

    pub(crate) fn have_number(&self, number: &Line, region: &Line) -> bool {
        self.texts.contains(number)
            || number_key(number.as_str(), region.as_str())
                .is_some_and(|key| self.keys.contains(&key))
    }

    /// Whether they have a number, an address of mail or the name of a contact.
    pub(crate) fn have(&self, contact: &Fields, region: &Line) -> bool {
        let Fields { name, phones, emails, .. } = contact;
        !self.texts.is_empty()
            && (phones.iter().any(|phone| self.have_number(&phone.number, region))
                || emails.iter().any(|email| self.texts.contains(&email.value))
                || name.as_ref().is_some_and(|name| self.texts.contains(name)))
    }
}

impl Private {
    pub(crate) fn entries(&self, region: &Line) -> Entries {
        let mut entries = Entries::default();
        self.entries.iter().for_each(|text| entries.insert(text, region));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_pass_midnight() {
        #[track_caller]
        fn check(hours: Hours, time: &str, utc_offset: i64, is_within: bool) {
            assert_eq!(hours.contain(time.parse().unwrap(), utc_offset), is_within, "{time}");
        }
        // The 23rd of November 2026 is a Monday.
        let only = |day: usize| std::array::from_fn(|it| it == day);
        let lunch = Hours { days: only(0), from: 12 * 60, to: 13 * 60 };
        check(lunch, "2026-11-23T11:59:59Z", 0, false);
        check(lunch, "2026-11-23T12:00:00Z", 0, true);
        check(lunch, "2026-11-23T13:00:00Z", 0, false);
        check(lunch, "2026-11-24T12:00:00Z", 0, false);
        check(lunch, "2026-11-23T03:30:00Z", 540, true);
        check(lunch, "2026-11-23T23:30:00Z", -660, true);
        let night = Hours { days: only(4), from: 22 * 60, to: 6 * 60 };
        check(night, "2026-11-27T21:59:00Z", 0, false);
        check(night, "2026-11-27T22:00:00Z", 0, true);
        check(night, "2026-11-28T05:59:00Z", 0, true);
        check(night, "2026-11-28T06:00:00Z", 0, false);
        check(night, "2026-11-27T05:00:00Z", 0, false);
        check(night, "1969-12-27T05:59:00Z", 0, true);
        let always = Hours { days: [true; 7], from: 0, to: 0 };
        check(always, "2026-11-28T00:00:00Z", 0, true);
    }

    #[test]
    fn intervals_have_bounds() {
        #[track_caller]
        fn check(json: &str, minutes: Option<u64>) {
            let interval: Interval = serde_json::from_str(json).unwrap();
            let expected = minutes.map(|minutes| Duration::from_secs(60 * minutes));
            assert_eq!(interval.duration(), expected);
        }
        check("1", Some(15));
        check("15", Some(15));
        check("1440", Some(1_440));
        check("9999", Some(1_440));
        check("null", None);
        assert_eq!(Interval::default(), Interval::minutes(30));
        let settings: Settings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings, Settings::default());
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    }
}
