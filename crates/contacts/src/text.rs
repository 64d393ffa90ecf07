//! Texts of a contact, with their limits in the type. Their `Debug` shows only a length: names and
//! notes hold phone numbers too.

use std::fmt;
use std::str::FromStr;

/// A text that a contact cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// More than 1,000 characters.
    #[error("a text of at most 1,000 characters was expected")]
    TooLong,
    /// More than 64 KiB.
    #[error("a note of at most 64 KiB was expected")]
    NoteTooLong,
    /// SQL and C end a text at NUL.
    #[error("a text without NUL was expected")]
    HasNul,
    /// Not a date, or one of another form.
    #[error("a birthday is YYYY-MM-DD, --MM-DD or null")]
    NoBirthday,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, |$text:ident| $fits:expr, $long:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;
            fn from_str($text: &str) -> Result<Self, InvalidText> {
                match () {
                    () if $text.contains('\0') => Err(InvalidText::HasNul),
                    () if $fits => Ok(Self($text.to_owned())),
                    () => Err(InvalidText::$long),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }

        callbook_base::serde_as_text!($name);
    };
}

text! {
    /// A name, a number as written, a type, a value: at most 1,000 characters, without NUL.
    Line, |text| text.len() <= 1_000 || text.chars().count() <= 1_000, TooLong
}
text! {
    /// A note: at most 64 KiB of UTF-8, without NUL.
    Note, |text| text.len() <= 64 * 1024, NoteTooLong
}
text! {
    /// A date `YYYY-MM-DD`, or `--MM-DD` when nobody knows the year.
    Birthday, |text| is_birthday(text), NoBirthday
}

fn is_birthday(text: &str) -> bool {
    // 2000 was a leap year, so that the 29th of February is a birthday without a year too.
    let full = text.strip_prefix("--").map_or_else(|| text.to_owned(), |day| format!("2000-{day}"));
    full.len() == 10 && full.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_limits() {
        #[track_caller]
        fn check<T: FromStr<Err = InvalidText>>(text: &str, error: Option<InvalidText>) {
            assert_eq!(text.parse::<T>().err(), error);
        }
        check::<Line>("", None);
        check::<Line>(&"é".repeat(1_000), None);
        check::<Line>(&"é".repeat(1_001), Some(InvalidText::TooLong));
        check::<Line>("a\0b", Some(InvalidText::HasNul));
        check::<Note>(&"x".repeat(65_536), None);
        check::<Note>(&"x".repeat(65_537), Some(InvalidText::NoteTooLong));
        check::<Birthday>("1977-02-28", None);
        check::<Birthday>("--02-29", None);
        for text in ["", "1977-02-29", "--02-30", "77-02-28", "1977-2-28", "--2-28", "19770228"] {
            check::<Birthday>(text, Some(InvalidText::NoBirthday));
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let line: Line = "(415) 555-2671".parse().unwrap();
        assert_eq!(format!("{line:?}"), "Line(14 bytes)");
    }
}
