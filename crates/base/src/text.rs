//! Types that travel as text: what `Display` writes and `FromStr` reads is their JSON too.
//!
//! Texts that people typed show only their length when printed: names and notes hold phone numbers.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de;

/// Gives a type that has `Display` and `FromStr` the same form in JSON.
#[macro_export]
macro_rules! serde_as_text {
    ($name:ty) => {
        $crate::serde_as_text!($name, |this, serializer| serializer.collect_str(this));
    };
    // With a shorter way to write it than `Display`.
    ($name:ty, |$this:ident, $serializer:ident| $serialize:expr) => {
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let ($this, $serializer) = (self, serializer);
                $serialize
            }
        }

        #[cfg(feature = "openapi")]
        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::Schema> {
                let text = $crate::utoipa::openapi::Type::String;
                $crate::utoipa::openapi::Object::with_type(text).into()
            }
        }

        #[cfg(feature = "openapi")]
        impl $crate::utoipa::ToSchema for $name {}

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::FromText::default())
            }
        }
    };
}

/// Reads a text with `FromStr`, without a copy of it. The work of [`serde_as_text!`].
pub struct FromText<T>(PhantomData<T>);

impl<T> Default for FromText<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// A type of text with its limits: `$check` says of a `&str` whether it fits. Its `Debug` shows
/// only a length.
#[macro_export]
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $error:ty, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($crate::SmolStr);

        impl $name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                let check: fn(&str) -> Result<(), $error> = $check;
                check(text).map(|()| Self($crate::SmolStr::new(text)))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }

        $crate::serde_as_text!($name, |this, serializer| serializer.serialize_str(&this.0));
    };
}

/// A text that is too long or holds NUL, at which SQL and C end a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of at most {longest} characters, without NUL, was expected")]
pub struct InvalidText {
    /// How many characters are allowed.
    pub longest: usize,
}

/// Whether a text has at most so many characters, and no NUL.
pub fn short(text: &str, longest: usize) -> Result<(), InvalidText> {
    let fits = text.len() <= longest || text.chars().count() <= longest;
    if fits && !text.contains('\0') { Ok(()) } else { Err(InvalidText { longest }) }
}

/// A text as a cell of a table. A spreadsheet would run one that begins as a formula does: it gets an
/// apostrophe before it. A number as written, `+1 (415) 555-2671`, is left as it is: without letters it
/// calls nothing.
pub fn cell(text: &str) -> Cow<'_, str> {
    let begins =
        text.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    let is_number = text.starts_with(['+', '-'])
        && text[1..].chars().all(|c| c.is_ascii_digit() || " +().-/:".contains(c));
    if begins && !is_number { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

text_type! {
    /// A name, a number as written, a type, an address: at most 1,000 characters, without NUL.
    Line, InvalidText, |text| short(text, 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_limit_and_no_nul() {
        #[track_caller]
        fn check(text: &str, ok: bool) {
            assert_eq!(
                text.parse::<Line>().map(|line| line.to_string()).ok().as_deref(),
                ok.then_some(text)
            );
        }
        check("", true);
        check(&"é".repeat(1_000), true);
        check(&"é".repeat(1_001), false);
        check("a\0b", false);
    }

    #[test]
    fn no_cell_is_a_formula() {
        #[track_caller]
        fn check(text: &str, written: &str) {
            assert_eq!(cell(text), written);
        }
        check("", "");
        check("Ann", "Ann");
        check("1+1", "1+1");
        check("=1+1", "'=1+1");
        check(" =cmd|' /C calc'!A0", "' =cmd|' /C calc'!A0");
        check("@SUM(A1)", "'@SUM(A1)");
        check("-2+3+cmd", "'-2+3+cmd");
        check("+1 (415) 555-2671", "+1 (415) 555-2671");
        check("+1 ::: +2", "+1 ::: +2");
        check("+1 ::: =x", "'+1 ::: =x");
        check("\tx", "'\tx");
    }

    #[test]
    fn debug_shows_no_text() {
        let line: Line = "(415) 555-2671".parse().unwrap();
        assert_eq!(format!("{line:?}"), "Line(14 bytes)");
    }
}
