//! The messages of section 6 as JSON. Phones and the service read and write the same structs.

use callbook_base::{DeviceId, Line, Named, Rev, Timestamp, UserId};
use callbook_dedup::NumberKey;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Call, CallId, Direction, Seconds};

/// The most calls of one push.
pub const MOST_CALLS: usize = 500;

/// `POST /sync/calls`, answered with a [`PushCallsAnswer`], as a phone writes it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Serialize)]
pub struct PushCallsRequest<'a> {
    /// Where numbers were written, ISO 3166 from the SIM.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Line>))]
    pub region: &'a Line,
    /// In any order.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Call>, max_items = 500))]
    pub calls: &'a [Call],
}

/// The same, as the service reads it.
#[derive(Debug)]
pub struct PushedCalls {
    /// Where numbers were written.
    pub region: Line,
    /// Each call, or why it cannot be read.
    pub calls: Vec<Result<Call, String>>,
}

/// A request that cannot be read; nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// Not JSON, or not of the form of a push: `400 invalid_request`.
    #[error("the request cannot be read: {0}")]
    Request(String),
    /// More than [`MOST_CALLS`]: `413 too_large`.
    #[error("a push has at most {MOST_CALLS} calls: send the rest in another")]
    TooManyCalls,
}

impl PushedCalls {
    /// Reads a body.
    ///
    /// # Errors
    /// The body as a whole cannot be read; a bad call fails none of its neighbours.
    pub fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        #[derive(Deserialize)]
        struct Request<'a> {
            #[serde(default)]
            region: Option<Line>,
            #[serde(borrow)]
            calls: Vec<&'a RawValue>,
        }
        let invalid = |error: &dyn std::fmt::Display| InvalidRequest::Request(error.to_string());
        let text = std::str::from_utf8(body).map_err(|error| invalid(&error))?;
        let request: Request<'_> = serde_json::from_str(text).map_err(|error| invalid(&error))?;
        if request.calls.len() > MOST_CALLS {
            return Err(InvalidRequest::TooManyCalls);
        }
        let cut = |error: serde_json::Error| error.to_string().chars().take(300).collect();
        let read = |call: &&RawValue| serde_json::from_str(call.get()).map_err(cut);
        Ok(Self {
            region: request.region.unwrap_or_default(),
            calls: request.calls.iter().map(read).collect(),
        })
    }
}

/// The answer to a push of calls.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushCallsAnswer {
    /// Stored now.
    pub accepted: u64,
    /// There already; the first stands.
    pub duplicates: u64,
    /// Not stored.
    pub rejected: Vec<RejectedCall>,
}

/// A call that was refused.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCall {
    /// Its place in the request, from 0.
    pub index: usize,
    /// `invalid_call`.
    pub code: String,
    /// For people. It may quote what was sent.
    pub detail: String,
}

impl std::fmt::Debug for RejectedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RejectedCall({}, {})", self.index, self.code)
    }
}

/// The answer to `GET /sync/calls`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullCallsAnswer {
    /// The book, by which a phone notices that it was restored from a backup.
    pub epoch: String,
    /// In the order of (rev, id).
    pub calls: Vec<PulledCall>,
    /// For the next pull; opaque.
    pub cursor: String,
    /// Whether another page is there.
    pub has_more: bool,
}

/// A call as a phone pulls it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row")]
pub struct PulledCall {
    /// Made from what happened.
    pub id: CallId,
    /// The push that brought it, in the calls' own count.
    pub rev: Rev,
    /// Whose call.
    pub user: UserId,
    /// On which device it was reported first.
    pub device: DeviceId,
    /// Of the other side's number.
    pub key: Option<NumberKey>,
    /// What happened.
    #[serde(flatten)]
    pub call: Call,
}

/// All members by name: serde would copy a flattened struct to look for its own.
#[derive(Deserialize)]
struct Row {
    id: CallId,
    rev: Rev,
    user: UserId,
    device: DeviceId,
    key: Option<NumberKey>,
    phone_number: Line,
    timestamp: Timestamp,
    duration: Seconds,
    direction: Direction,
    line: Option<Line>,
}

impl From<Row> for PulledCall {
    fn from(row: Row) -> Self {
        let Row { id, rev, user, device, key, phone_number, timestamp, duration, .. } = row;
        let (direction, line) = (row.direction, row.line);
        let call = Call { phone_number, timestamp, duration, direction, line };
        Self { id, rev, user, device, key, call }
    }
}

/// A call as people's tools show it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// The call.
    #[serde(flatten)]
    pub call: PulledCall,
    /// Whose call it was, by name.
    pub username: String,
    /// Who owns the number now; null when nobody does.
    pub contact: Option<Named>,
}

/// The answer to `GET /calls`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallsAnswer {
    /// The latest first.
    pub calls: Vec<CallView>,
    /// For the next page; null when there is none.
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_read_is_refused_whole() {
        #[track_caller]
        fn check(body: &str, ok: bool) {
            assert_eq!(PushedCalls::read(body.as_bytes()).is_ok(), ok, "{body}");
        }
        check(r#"{"region":"US","calls":[]}"#, true);
        check(r#"{"calls":[]}"#, true);
        check("", false);
        check("{}", false);
        check("[]", false);
        check(r#"{"region":5,"calls":[]}"#, false);
        check(&format!(r#"{{"calls":[{}]}}"#, ["1"; 500].join(",")), true);
        check(&format!(r#"{{"calls":[{}]}}"#, ["1"; 501].join(",")), false);
        assert!(PushedCalls::read(b"{\"calls\":[\"\xc3\"]}").is_err());
    }

    #[test]
    fn a_bad_call_is_rejected_by_itself() {
        #[track_caller]
        fn check(call: &str, ok: bool) {
            let good = r#"{"phone_number":"","timestamp":"2026-11-22T10:00:00.000Z","duration":0,"direction":"missed"}"#;
            let body = format!(r#"{{"calls":[{call},{good}]}}"#);
            let calls = PushedCalls::read(body.as_bytes()).unwrap().calls;
            assert_eq!((calls[0].is_ok(), calls[1].is_ok()), (ok, true), "{call}");
        }
        let call = |number: &str, at: &str, duration: &str, direction: &str| {
            format!(
                r#"{{"phone_number":{number},"timestamp":"{at}","duration":{duration},"direction":"{direction}","extra":1}}"#
            )
        };
        let at = "2026-11-22T10:00:00.000Z";
        check(&call(r#""1""#, at, "61", "answered_elsewhere"), true);
        check(&call("1", at, "61", "incoming"), false);
        check(&call(r#""a\u0000""#, at, "61", "incoming"), false);
        check(&call(r#""1""#, "today", "61", "incoming"), false);
        check(&call(r#""1""#, at, "-1", "incoming"), false);
        check(&call(r#""1""#, at, "1.5", "incoming"), false);
        check(&call(r#""1""#, at, "4294967296", "incoming"), false);
        check(&call(r#""1""#, at, "61", "sideways"), false);
        check("{}", false);
        check("5", false);
    }

    #[test]
    fn messages_as_json() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let call = Call {
            phone_number: "(415) 555-2671".parse().unwrap(),
            timestamp: "2026-11-22T10:00:00.000Z".parse().unwrap(),
            duration: crate::Seconds(61),
            direction: crate::Direction::AnsweredElsewhere,
            line: Some("sim-1".parse().unwrap()),
        };
        let push =
            PushCallsRequest { region: &"US".parse().unwrap(), calls: std::slice::from_ref(&call) };
        let rejected = RejectedCall { index: 3, code: "invalid_call".into(), detail: "why".into() };
        let pushed = PushCallsAnswer { accepted: 1, duplicates: 2, rejected: vec![rejected] };
        let user = id.parse().unwrap();
        let row = PulledCall {
            id: CallId::of(user, &call),
            rev: Rev(7),
            user,
            device: id.parse().unwrap(),
            key: Some("+14155552671".parse().unwrap()),
            call: call.clone(),
        };
        let pulled = PullCallsAnswer {
            epoch: "e".into(),
            calls: vec![row],
            cursor: "opaque".into(),
            has_more: true,
        };
        insta::assert_json_snapshot!((&push, &pushed, &pulled));
        let text = serde_json::to_string(&pulled).unwrap();
        assert_eq!(serde_json::from_str::<PullCallsAnswer>(&text).unwrap(), pulled);
        let body = serde_json::to_string(&push).unwrap();
        assert_eq!(PushedCalls::read(body.as_bytes()).unwrap().calls, [Ok(call.clone())]);
        assert!(!format!("{push:?}{pulled:?}").contains("2671"));
        assert_eq!(format!("{:?}", pushed.rejected), "[RejectedCall(3, invalid_call)]");
    }
}
