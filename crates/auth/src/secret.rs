//! Text that only its owner may know, and comparing it. Anything that prints it must never live here.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// Whether two secrets are the same, in a time that depends on neither: both are hashed first, so
/// that not even their lengths show.
pub fn same_secret(a: &str, b: &str) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

/// A secret as it was sent: any text, not validated. It prints as `[secret]`, is sent as it is, is
/// compared in constant time, and its memory is wiped when it is dropped.
#[derive(Clone, Serialize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Whoever asks for it sees to it that it is not logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same_secret(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Secret {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::Object::with_type(utoipa::openapi::Type::String).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Secret {}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// serde's own error for a number in a text's place quotes the number.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Sent {
            Text(String),
            Other(IgnoredAny),
        }
        match Sent::deserialize(deserializer)? {
            Sent::Text(text) => Ok(Self(text)),
            Sent::Other(_) => Err(de::Error::custom("a secret is a text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_or_not() {
        #[track_caller]
        fn check(a: &str, b: &str, same: bool) {
            assert_eq!(same_secret(a, b), same);
            assert_eq!(Secret::from(a) == Secret::from(b), same);
        }
        check("", "", true);
        check("setup", "setup", true);
        check("setup", "Setup", false);
        check("setup", "setup ", false);
        check("setup", "", false);
    }

    #[test]
    fn a_secret_is_wiped_when_it_is_dropped() {
        fn check<T: ZeroizeOnDrop>() {}
        check::<Secret>();
        assert!(std::mem::needs_drop::<Secret>());
    }

    #[test]
    fn a_secret_is_read_from_text_alone_and_never_printed() {
        #[track_caller]
        fn check(json: &str, read: Option<&str>) {
            let secret = serde_json::from_str::<Secret>(json);
            assert_eq!(secret.as_ref().ok().map(Secret::expose), read);
            let printed = format!("{secret:?}");
            assert!(!printed.contains("hunter") && !printed.contains("1234"), "{printed}");
        }
        check(r#""hunter2""#, Some("hunter2"));
        check(r#""hunter\u0000""#, Some("hunter\0"));
        check(r#""hunter\ud800""#, None);
        check("12345678", None);
        check("1234.5", None);
        check(r#"["hunter2"]"#, None);
        check("null", None);
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "[secret]");
    }
}
