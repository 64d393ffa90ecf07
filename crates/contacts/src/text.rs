//! Texts of a contact that have limits of their own.

use callbook_base::{Date, text_type};

/// A text that is no [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a note of at most 64 KiB, without NUL, was expected")]
pub struct InvalidNote;

/// A text that is no [`Birthday`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a birthday is YYYY-MM-DD, --MM-DD or null")]
pub struct InvalidBirthday;

text_type! {
    /// A note: at most 64 KiB of UTF-8, without NUL.
    Note, InvalidNote, |text| {
        let fits = text.len() <= 64 * 1024 && !text.contains('\0');
        fits.then_some(()).ok_or(InvalidNote)
    }
}

text_type! {
    /// A date `YYYY-MM-DD`, or `--MM-DD` when nobody knows the year.
    Birthday, InvalidBirthday, |text| {
        // 2000 was a leap year, so that the 29th of February is a birthday without a year too.
        let full = match text.strip_prefix("--") {
            Some(day) => &format!("2000-{day}"),
            None => text,
        };
        full.parse::<Date>().map(drop).map_err(|_| InvalidBirthday)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_birthdays_have_limits() {
        #[track_caller]
        fn check<T: std::str::FromStr>(text: &str, ok: bool) {
            assert_eq!(text.parse::<T>().is_ok(), ok);
        }
        check::<Note>(&"x".repeat(65_536), true);
        check::<Note>(&"x".repeat(65_537), false);
        check::<Note>("a\0b", false);
        check::<Birthday>("1977-02-28", true);
        check::<Birthday>("--02-29", true);
        for text in ["", "1977-02-29", "--02-30", "77-02-28", "1977-2-28", "--2-28", "19770228"] {
            check::<Birthday>(text, false);
        }
    }
}
