//! The phone's log of calls, as Android's call log provider has it, and which of its rows are to be read. What becomes
//! of them is decided in `engine/call_log.rs`. Android's API must never live here.

use std::fmt;

use callbook_base::{Line, Timestamp};
use callbook_calls::{Call, Direction, Seconds};
use serde::{Deserialize, Serialize};

use crate::provider::or_default;

/// How many rows are read at once.
pub const CHUNK: usize = 500;

/// A row of `CallLog.Calls`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRow {
    /// `_ID`
    #[serde(default, deserialize_with = "or_default")]
    pub id: i64,
    /// `NUMBER`
    #[serde(default)]
    pub number: Option<String>,
    /// `NUMBER_PRESENTATION`
    #[serde(default)]
    pub presentation: Option<i64>,
    /// `DATE`, in milliseconds.
    #[serde(default)]
    pub date: Option<i64>,
    /// `DURATION`, in seconds.
    #[serde(default)]
    pub duration: Option<i64>,
    /// `TYPE`
    #[serde(default)]
    pub r#type: Option<i64>,
    /// `PHONE_ACCOUNT_ID`
    #[serde(default)]
    pub line: Option<String>,
    /// How many minutes the phone's time was ahead of UTC when the call began.
    #[serde(default, deserialize_with = "or_default")]
    pub utc_offset: i64,
}

impl fmt::Debug for CallRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallRow({})", self.id)
    }
}

/// Which rows to read: `(_ID > seen OR DATE >= since) AND _ID > after ORDER BY _ID LIMIT limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallsWanted {
    /// The last row that was seen.
    pub seen: i64,
    /// A day before the last call that was seen, in milliseconds: rows may come late, or with other ids.
    pub since: i64,
    /// The last row of the chunk before.
    pub after: i64,
    /// How many.
    pub limit: usize,
}

/// How far the log has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeenCalls {
    /// The highest `_ID`.
    pub id: i64,
    /// The latest `DATE`, and not later than the clock showed; 0 before the first.
    pub date: i64,
}

/// `Calls.PRESENTATION_ALLOWED`. With any other nobody knows the number.
const ALLOWED: i64 = 1;

/// What old phones have for a number that nobody knows: unknown, withheld, a payphone.
const NO_NUMBERS: [&str; 3] = ["-1", "-2", "-3"];

/// The call of a row, but for its line; `None` for a row without a time, which is of no call.
pub(crate) fn read(row: &CallRow) -> Option<Call> {
    let duration = row.duration.unwrap_or(0).max(0);
    Some(Call {
        phone_number: number(row),
        timestamp: Timestamp::from_millis(row.date?),
        duration: Seconds(u32::try_from(duration).unwrap_or(u32::MAX)),
        direction: direction(row.r#type, duration),
        line: None,
    })
}

/// Empty when it was withheld. At NUL a text ends, and none is longer than the book takes.
fn number(row: &CallRow) -> Line {
    let is_known = row.presentation.is_none_or(|presentation| presentation == ALLOWED);
    let text = row.number.as_deref().filter(|number| is_known && !NO_NUMBERS.contains(number));
    let text = text.unwrap_or_default().split('\0').next().unwrap_or_default();
    let text: String = text.chars().take(1_000).collect();
    text.parse().unwrap_or_default()
}

/// `TYPE`. Makers have types of their own: a call of one that lasted was taken, and otherwise missed.
fn direction(kind: Option<i64>, duration: i64) -> Direction {
    match kind {
        Some(1) => Direction::Incoming,
        Some(2) => Direction::Outgoing,
        Some(3) => Direction::Missed,
        Some(4) => Direction::Voicemail,
        Some(5) => Direction::Rejected,
        Some(6) => Direction::Blocked,
        Some(7) => Direction::AnsweredElsewhere,
        _ if duration > 0 => Direction::Incoming,
        _ => Direction::Missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_whatever_they_have() {
        #[track_caller]
        fn check(row: &str, call: Option<(&str, i64, u32, &str)>) {
            let row: CallRow = serde_json::from_str(&format!(r#"{{"id":1,{row}}}"#)).unwrap();
            let read = read(&row);
            let got = read.as_ref().map(|call| {
                let (Seconds(seconds), at) = (call.duration, call.timestamp.as_millis());
                (call.phone_number.as_str(), at, seconds, call.direction.as_str())
            });
            assert_eq!(got, call);
            assert!(!format!("{row:?}").contains("555"));
        }
        let one = |kind: i64| format!(r#""number":"555","date":7,"duration":3,"type":{kind}"#);
        check(&one(1), Some(("555", 7, 3, "incoming")));
        check(&one(2), Some(("555", 7, 3, "outgoing")));
        check(&one(3), Some(("555", 7, 3, "missed")));
        check(&one(4), Some(("555", 7, 3, "voicemail")));
        check(&one(5), Some(("555", 7, 3, "rejected")));
        check(&one(6), Some(("555", 7, 3, "blocked")));
        check(&one(7), Some(("555", 7, 3, "answered_elsewhere")));
        check(&one(8), Some(("555", 7, 3, "incoming")));
        check(&one(-1), Some(("555", 7, 3, "incoming")));
        check(r#""number":"555","date":7,"type":99"#, Some(("555", 7, 0, "missed")));
        check(r#""number":"555","date":7"#, Some(("555", 7, 0, "missed")));
        check(r#""number":"555","type":1"#, None);
        check(r#""date":7,"type":1,"duration":-5"#, Some(("", 7, 0, "incoming")));
        check(r#""date":7,"type":1,"duration":99999999999"#, Some(("", 7, u32::MAX, "incoming")));
        for presentation in [2, 3, 4, 5] {
            let row = format!(r#""number":"555","presentation":{presentation},"date":7,"type":1"#);
            check(&row, Some(("", 7, 0, "incoming")));
        }
        check(r#""number":"-2","presentation":1,"date":7,"type":3"#, Some(("", 7, 0, "missed")));
        check(r#""number":"55\u0000x","date":7,"type":3"#, Some(("55", 7, 0, "missed")));
        check(r#""number":"*100#","date":7,"type":2"#, Some(("*100#", 7, 0, "outgoing")));
        let long = "5".repeat(5_000);
        let row = format!(r#""number":"{long}","date":7,"type":2"#);
        check(&row, Some((&long[..1_000], 7, 0, "outgoing")));
    }
}
