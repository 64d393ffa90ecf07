//! Ids: lower-case UUIDv7 text on the wire, 16 bytes in memory.
//!
//! Phones mint the ids of contacts, the server those of users and devices. UUIDv7 starts with the
//! time it was made, so neighbours in time are neighbours in an index.

use std::fmt;
use std::str::FromStr;

use uuid::{Uuid, Version};

use crate::Timestamp;

/// A text that is not a lower-case, hyphenated UUIDv7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a lower-case UUID of version 7")]
pub struct InvalidId;

fn parse(text: &str) -> Result<Uuid, InvalidId> {
    let id = Uuid::try_parse(text).map_err(|_| InvalidId)?;
    // No other form that this library reads is as long.
    let canonical = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_v7 = id.get_version() == Some(Version::SortRand);
    (canonical && is_v7).then_some(id).ok_or(InvalidId)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id from the time and ten bytes of chance, of which 74 bits are used.
            pub fn new(now: Timestamp, chance: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        $crate::serde_as_text!($name, |this, serializer| {
            serializer.serialize_str(this.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        });
    };
}

id! {
    /// A contact, minted by the phone that made it. Of two contacts made in the same millisecond
    /// the one with the smaller id is the older.
    ContactId
}
id! {
    /// A person who signs in.
    UserId
}
id! {
    /// One sign-in of a user on one phone, with its own op counter: every login makes a new one.
    DeviceId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_lower_case_version_7() {
        #[track_caller]
        fn check(text: &str, ok: bool) {
            assert_eq!(
                text.parse::<ContactId>().map(|id| id.to_string()).ok().as_deref(),
                ok.then_some(text)
            );
        }
        check("01890a5d-ac96-774b-bcce-b302099a8057", true);
        check("00000000-0000-7000-8000-000000000001", true);
        check("01890A5D-AC96-774B-BCCE-B302099A8057", false);
        check("01890a5dac96774bbcceb302099a8057", false);
        check("{01890a5d-ac96-774b-bcce-b302099a8057}", false);
        check("01890a5d-ac96-474b-bcce-b302099a8057", false);
        check("", false);
    }

    #[test]
    fn new_ids_sort_by_time_and_read_back() {
        let early = ContactId::new(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = ContactId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
    }
}
