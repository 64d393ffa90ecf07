//! Points in time: RFC 3339 in UTC with milliseconds on the wire, epoch milliseconds in storage.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::calendar::{Date, digits, put};

/// A text that is not RFC 3339 in UTC ending in `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is RFC 3339 in UTC with milliseconds, such as 2026-11-22T10:00:00.000Z")]
pub struct InvalidTimestamp;

/// Milliseconds since 1970-01-01T00:00:00Z, between [`Timestamp::MIN`] and [`Timestamp::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first millisecond of the year 0001.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// A day before the year 10000, so that it has a date in every time zone.
    pub const MAX: Self = Self(253_402_207_199_999);

    /// Milliseconds since the epoch, cut to the years that RFC 3339 can write.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to here, negative when it is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// This time moved by so many milliseconds, cut to the years that RFC 3339 can write.
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time moved backwards.
    pub fn before(self, by: Duration) -> Self {
        self.plus_millis(i64::try_from(by.as_millis()).map_or(i64::MIN, |millis| -millis))
    }

    /// This time moved forwards.
    pub fn after(self, by: Duration) -> Self {
        self.plus_millis(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads `YYYY-MM-DDTHH:MM:SSZ` with or without a fraction; what is finer than a millisecond is
    /// cut off. Other offsets than `Z` are refused.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let read = || {
            let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
            let days = date.parse::<Date>().ok()?.days();
            let (time, fraction) = match time.split_once('.') {
                Some((time, fraction)) => (time, fraction),
                None => (time, "0"),
            };
            let (hour, rest) = time.split_once(':')?;
            let (minute, second) = rest.split_once(':')?;
            let part = |text: &str, most: u32| {
                digits(text).filter(|number| text.len() == 2 && *number <= most).map(i64::from)
            };
            let (hour, minute) = (part(hour, 23)?, part(minute, 59)?);
            let second = part(second, 60)?.min(59); // a leap second is the one before it
            let is_fraction = (1..=9).contains(&fraction.len()) && digits(fraction).is_some();
            let three = fraction.bytes().chain(*b"00").take(3);
            let millis = three.fold(0, |millis, digit| millis * 10 + i64::from(digit & 15));
            let time = ((days * 24 + hour) * 60 + minute) * 60 + second;
            Some(time * 1_000 + millis).filter(|millis| is_fraction && *millis <= Self::MAX.0)
        };
        read().map(Self::from_millis).ok_or(InvalidTimestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        let date = Date::from_days(self.0.div_euclid(DAY));
        let date = date.expect("a Timestamp lies between the years 0001 and 9999");
        let millis = self.0.rem_euclid(DAY);
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (minutes, second) = (seconds / 60, seconds % 60);
        let (hour, minute) = (minutes / 60, minutes % 60);
        // A page of a pull has thousands of times: std takes six times as long for the same digits.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        text[..10].copy_from_slice(&date.text());
        for (place, number) in
            [(11..13, hour), (14..16, minute), (17..19, second), (20..23, millis)]
        {
            put(&mut text[place], number as u16);
        }
        f.write_str(std::str::from_utf8(&text).expect("digits are text"))
    }
}

crate::serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_utc_and_refuses_the_rest() {
        #[track_caller]
        fn check(text: &str, millis: Option<i64>) {
            assert_eq!(text.parse().ok(), millis.map(Timestamp::from_millis), "{text}");
        }
        check("2026-11-22T10:00:00.000Z", Some(1_795_341_600_000));
        check("2026-11-22T10:00:00.123Z", Some(1_795_341_600_123));
        check("2026-11-22T10:00:00Z", Some(1_795_341_600_000));
        check("2026-11-22T10:00:00.123456Z", Some(1_795_341_600_123));
        check("1969-12-31T23:59:59.9995Z", Some(-1));
        check("1970-01-01T00:00:00.000Z", Some(0));
        check("2026-11-22T10:00:00.000+00:00", None);
        check("2026-11-22T10:00:00.000+01:00", None);
        check("2026-11-22T10:00:00.000", None);
        check("2026-11-22 10:00:00.000Z", None);
        check("2026-02-30T10:00:00.000Z", None);
        check("2026-11-22T10:00:00.000Z[UTC]", None);
        check("10000-11-22T10:00:00.000Z", None);
        check("", None);
        check("é026-11-22T10:00:00.000Z", None);
    }

    /// As jiff reads and writes them: the Worker carries no calendar library.
    fn check_beside_a_library(text: &str) {
        let known = text.parse::<jiff::Timestamp>().ok().map(|time| {
            let cut = i64::from(time.subsec_nanosecond() % 1_000_000 < 0);
            Timestamp::from_millis(time.as_millisecond() - cut)
        });
        assert_eq!(text.parse().ok(), known, "{text}");
    }

    proptest::proptest! {
        #[test]
        fn texts_are_read_as_a_library_reads_them(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z",
        ) {
            check_beside_a_library(&text);
        }

        #[test]
        fn times_are_written_as_a_library_writes_them(
            millis in Timestamp::MIN.as_millis()..=Timestamp::MAX.as_millis(),
        ) {
            let (time, known) =
                (Timestamp::from_millis(millis), jiff::Timestamp::from_millisecond(millis).unwrap());
            assert_eq!(time.to_string(), format!("{known:.3}"));
            check_beside_a_library(&time.to_string());
        }
    }

    #[test]
    fn writes_milliseconds_and_z() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T21:59:59.999Z");
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        for time in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
