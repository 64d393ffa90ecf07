//! What a call is, what makes two reports of it one, and the messages that carry calls (section 6 of
//! the protocol).
//!
//! A call is what happened: it is only ever added. SQL, HTTP, a clock and randomness must never
//! live here, nor what a contact is: calls meet contacts by key when they are read.

pub mod csv;
pub mod wire;

use std::fmt;
use std::str::FromStr;

use callbook_base::{Line, Timestamp, UserId};
use callbook_dedup::dialled;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{Uuid, Version};

/// One call, as the phone's log has it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The other side's number as the log has it; empty when it was withheld.
    pub phone_number: Line,
    /// When it began.
    pub timestamp: Timestamp,
    /// Whole seconds.
    pub duration: Seconds,
    /// Whose call it was, and what became of it.
    pub direction: Direction,
    /// Which of the phone's lines.
    #[serde(default)]
    pub line: Option<Line>,
}

/// Whole seconds, below 2³²: a call of 136 years.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

/// Whose call it was, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the words of Android's call log
pub enum Direction {
    Incoming,
    Outgoing,
    Missed,
    Rejected,
    Blocked,
    Voicemail,
    AnsweredElsewhere,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Incoming,
        Self::Outgoing,
        Self::Missed,
        Self::Rejected,
        Self::Blocked,
        Self::Voicemail,
        Self::AnsweredElsewhere,
    ];

    /// The word as sent and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Missed => "missed",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
            Self::Voicemail => "voicemail",
            Self::AnsweredElsewhere => "answered_elsewhere",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a direction is incoming, outgoing, missed, rejected, blocked, voicemail or answered_elsewhere"
)]
pub struct InvalidDirection;

impl FromStr for Direction {
    type Err = InvalidDirection;
    fn from_str(text: &str) -> Result<Self, InvalidDirection> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(InvalidDirection)
    }
}

callbook_base::serde_as_text!(Direction);

/// What makes two reports of a call one: a UUIDv8 made from whose it is, the number, the time and
/// the direction. So a call pushed twice, after a reinstall or from a new phone, is stored once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(Uuid);

impl CallId {
    /// Of this user's call. Spellings of a number that dial the same are the same number here.
    pub fn of(user: UserId, call: &Call) -> Self {
        let dialled = dialled(call.phone_number.as_str());
        let number = if dialled.is_empty() { call.phone_number.as_str() } else { &dialled };
        let (at, direction) = (call.timestamp.as_millis(), call.direction.as_str());
        // No part but the last, the number, can hold a line's end.
        let hash: [u8; 32] = Sha256::digest(format!("{user}\n{at}\n{direction}\n{number}")).into();
        let (head, _) = hash.split_first_chunk::<16>().expect("a SHA-256 has 32 bytes");
        Self(uuid::Builder::from_custom_bytes(*head).into_uuid())
    }
}

/// A text that is not a lower-case UUIDv8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a call is a lower-case UUID of version 8")]
pub struct InvalidCallId;

impl FromStr for CallId {
    type Err = InvalidCallId;
    fn from_str(text: &str) -> Result<Self, InvalidCallId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidCallId)?;
        let ours = id.get_version() == Some(Version::Custom)
            && *id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text;
        ours.then_some(Self(id)).ok_or(InvalidCallId)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

callbook_base::serde_as_text!(CallId);

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: &str) -> Call {
        Call {
            phone_number: number.parse().unwrap(),
            timestamp: Timestamp::from_millis(1_000),
            duration: Seconds(61),
            direction: Direction::Incoming,
            line: None,
        }
    }

    fn user(n: u8) -> UserId {
        UserId::new(Timestamp::from_millis(0), [n; 10])
    }

    #[test]
    fn spellings_that_dial_the_same_are_one_call() {
        #[track_caller]
        fn check(a: &str, b: &str, same: bool) {
            let [a, b] = [a, b].map(|number| CallId::of(user(1), &call(number)));
            assert_eq!(a == b, same);
        }
        check("(415) 555-2671", "4155552671", true);
        check("٤١٥ ٥٥٥ ٢٦٧١", "4155552671", true);
        check("+1 415 555 2671", "4155552671", false);
        check("*100#", "100", false);
        check("", "", true);
        check("", "private", false);
        check("private", "unknown", false);
        check("1+1", "11", true);
    }

    #[test]
    fn an_id_is_a_lower_case_uuid_of_version_8() {
        #[track_caller]
        fn check(text: &str, ok: bool) {
            assert_eq!(text.parse::<CallId>().is_ok(), ok, "{text}");
        }
        let id = CallId::of(user(1), &call("4155552671"));
        let text = id.to_string();
        assert_eq!(format!("{id:?}"), text);
        check(&text, true);
        check(&text.to_uppercase(), false);
        check(&text.replace('-', ""), false);
        check("01890a5d-ac96-774b-bcce-b302099a8057", false);
        check("", false);
    }

    #[test]
    fn who_when_and_which_way_make_another_call_and_the_rest_does_not() {
        #[track_caller]
        fn check(user_: u8, change: impl Fn(&mut Call), same: bool) {
            let mut other = call("4155552671");
            change(&mut other);
            let id = CallId::of(user(1), &call("4155552671"));
            assert_eq!(CallId::of(user(user_), &other) == id, same);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        check(1, |_| {}, true);
        check(2, |_| {}, false);
        check(1, |call| call.timestamp = Timestamp::from_millis(1_001), false);
        check(1, |call| call.direction = Direction::Missed, false);
        check(1, |call| call.duration = Seconds(5), true);
        check(1, |call| call.line = Some("sim-2".parse().unwrap()), true);
    }
}
