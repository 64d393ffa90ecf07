//! What a phone says of itself at login. Which devices there are must never live here.

use std::fmt;
use std::str::FromStr;

/// A name or platform that is too long or holds NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of at most {longest} characters, without NUL, was expected")]
pub struct InvalidLabel {
    /// How many characters are allowed.
    pub longest: usize,
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $longest:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text as sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidLabel;
            fn from_str(text: &str) -> Result<Self, InvalidLabel> {
                let fits = text.chars().count() <= $longest && !text.contains('\0');
                if fits { Ok(Self(text.to_owned())) } else { Err(InvalidLabel { longest: $longest }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        callbook_base::serde_as_text!($name);
    };
}

label! {
    /// What a phone calls itself, such as `Pixel 9`: at most 200 characters, without NUL; it may be
    /// empty.
    DeviceName, 200
}
label! {
    /// What a phone runs, such as `android 16`: at most 100 characters, without NUL; it may be empty.
    Platform, 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_without_nul() {
        #[track_caller]
        fn check(text: &str, name: bool, platform: bool) {
            assert_eq!(text.parse::<DeviceName>().is_ok(), name, "{text}");
            assert_eq!(text.parse::<Platform>().is_ok(), platform, "{text}");
        }
        check("Pixel 9", true, true);
        check("", true, true);
        check(&"é".repeat(100), true, true);
        check(&"é".repeat(101), true, false);
        check(&"é".repeat(200), true, false);
        check(&"é".repeat(201), false, false);
        check("a\0b", false, false);
    }
}
