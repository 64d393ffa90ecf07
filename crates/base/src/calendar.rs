//! Days of the Gregorian calendar, as far as times on the wire and birthdays need them. Time zones must never
//! live here: with them a calendar library adds a twentieth to the Worker, all of which a cold start reads.

use std::fmt;
use std::str::FromStr;

/// A day of the years 0000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no date `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date is YYYY-MM-DD")]
pub struct InvalidDate;

/// From the first day of the year 0000 to that of 1970.
const EPOCH: i64 = days_before(1970);

/// From the first day of the year 0000, a leap year, to that of this one.
const fn days_before(year: i64) -> i64 {
    365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
}

fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// The day that is so many days after 1970-01-01; `None` outside of the years 0000 to 9999.
    pub(crate) fn from_days(days: i64) -> Option<Self> {
        let days =
            days.checked_add(EPOCH).filter(|days| (0..days_before(10_000)).contains(days))?;
        // At most one too high, since no year is shorter than the mean by more.
        let mut year = days * 400 / days_before(400);
        if days_before(year) > days {
            year -= 1;
        } else if days_before(year + 1) <= days {
            year += 1;
        }
        let (mut day, mut month, year) = (days - days_before(year), 1, year as u16);
        while day >= i64::from(days_of_month(year, month)) {
            day -= i64::from(days_of_month(year, month));
            month += 1;
        }
        Some(Self { year, month, day: day as u8 + 1 })
    }

    /// As `YYYY-MM-DD`.
    pub(crate) fn text(self) -> [u8; 10] {
        let mut text = *b"0000-00-00";
        put(&mut text[..4], self.year);
        put(&mut text[5..7], self.month.into());
        put(&mut text[8..], self.day.into());
        text
    }

    /// How many days it is after 1970-01-01.
    pub(crate) fn days(self) -> i64 {
        let months = (1..self.month).map(|month| i64::from(days_of_month(self.year, month)));
        days_before(self.year.into()) - EPOCH + months.sum::<i64>() + i64::from(self.day) - 1
    }
}

/// Writes a number over zeros, as far as they go.
pub(crate) fn put(zeros: &mut [u8], mut number: u16) {
    for zero in zeros.iter_mut().rev() {
        *zero += (number % 10) as u8;
        number /= 10;
    }
}

/// A number of digits and nothing else.
pub(crate) fn digits(text: &str) -> Option<u32> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok())?
}

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let read = || {
            let (year, rest) = text.split_at_checked(4)?;
            let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
            if (month.len(), day.len()) != (2, 2) {
                return None;
            }
            let (year, month) = (digits(year)? as u16, digits(month)? as u8);
            let day = digits(day)? as u8;
            let is_one =
                (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
            is_one.then_some(Self { year, month, day })
        };
        read().ok_or(InvalidDate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).expect("digits are text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_there_once() {
        let (mut days, mut last) = (-EPOCH, None);
        while let Some(date) = Date::from_days(days) {
            assert!(last < Some(date), "{date}");
            assert_eq!(date.days(), days);
            (days, last) = (days + 1, Some(date));
        }
        assert_eq!(last.map(|date| date.to_string()).as_deref(), Some("9999-12-31"));
        assert_eq!((Date::from_days(-EPOCH - 1), Date::from_days(i64::MAX)), (None, None));
    }

    #[test]
    fn a_library_knows_the_same_days() {
        for year in (0..10_000).step_by(7).chain(1_890..2_110) {
            for month in 0..=13 {
                for day in [0, 1, 27, 28, 29, 30, 31, 32] {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let known = text.parse::<jiff::civil::Date>().is_ok();
                    let read = text.parse::<Date>().map(|date| date.to_string());
                    assert_eq!(read, if known { Ok(text) } else { Err(InvalidDate) });
                }
            }
        }
        for text in
            ["", "1977-2-28", "77-02-28", "19770228", "1977-02-28 ", "+977-02-28", "1977-02-é"]
        {
            assert_eq!(text.parse::<Date>(), Err(InvalidDate), "{text}");
        }
    }
}
