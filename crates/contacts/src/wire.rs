//! The messages of sections 4 and 5 as JSON. Phones and the service read and write the same structs.
//! Rules must never live here, nor a message that shows a number when printed.

mod people;

use std::sync::Arc;

use callbook_base::{ContactId, Line, Rev, Timestamp, UserId};
use callbook_dedup::NumberKey;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::digest::Digest;
use crate::edit::{Add, Edit, Remove, Set};
use crate::fields::{Entry, Fields, NameParts, Phone};
use crate::op::{Change, Kind, Op, OpId, Push, PushedOp, Rejection, RejectionCode, Target};
use crate::text::{Birthday, Note};

pub use people::{
    ChangedAnswer, ClaimedNumber, ContactDetails, ContactState, ContactView, ContactsAnswer,
    DuplicatesAnswer, ImportAnswer, RejectedCard, RestoreRequest, Revision, SplitRequest,
    are_several_names,
};

/// The most ops of one push.
pub const MOST_OPS: usize = 500;

/// The most ops that a phone sends: with more a Worker would compute longer than the 10 ms that Cloudflare's free plan
/// gives a request.
pub const OPS_AT_ONCE: usize = 250;

// Its messages are `OpMessage`s, or texts of such.
/// `POST /sync/contacts`, answered with a [`PushAnswer`]. A bad op fails none of its neighbours.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PushRequest))]
#[derive(Serialize, Deserialize)]
pub struct PushRequest<Message> {
    /// The book that the device knows; null when it has had no answer yet.
    #[serde(default)]
    pub epoch: Option<String>,
    /// Where numbers without a region of their own were written, ISO 3166 from the SIM.
    #[serde(default)]
    pub region: Option<Line>,
    /// The device's clock at sending.
    pub sent_at: Timestamp,
    /// When the outbox was read; needed when `complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Whether this push empties the outbox as read at `as_of`.
    #[serde(default)]
    pub complete: bool,
    /// Whether the user has said yes to deleting many.
    #[serde(default)]
    pub confirm_deletes: bool,
    /// [`OpMessage`]s.
    #[serde(default = "Vec::new")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<OpMessage>, max_items = 500))]
    pub ops: Vec<Message>,
    /// What the ops behind these are called, if earlier pushes may have had them: this one has fewer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_sent: Vec<OpId>,
}

/// One op as a device writes it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Serialize)]
pub struct OpMessage<'a> {
    /// Its place in the device's count, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 9007199254740991u64))]
    pub op_seq: u64,
    /// Its idempotency key.
    pub op_id: &'a OpId,
    /// What happens.
    pub op: Kind,
    /// To which contact.
    pub id: ContactId,
    /// The contact's rev as last pulled, 0 for a new one.
    pub base_rev: Rev,
    /// For a new one: when it was made, by the device's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// For a put: what changes.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Edit))]
    pub edit: Option<&'a Edit>,
}

impl OpMessage<'_> {
    /// The op as it stands in a push.
    pub fn to_json(&self) -> Box<RawValue> {
        to_raw_value(self).expect("an op is plain text and numbers")
    }
}

/// A request that cannot be read; nothing of it is applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// Not JSON, or not of the form of a push: `400 invalid_request`.
    #[error("the request cannot be read: {0}")]
    Request(String),
    /// An op without a readable `op_seq` and `op_id`: `400 invalid_op`.
    #[error("op {index} of the request has no op_seq of 1 or more, or no op_id: {reason}")]
    Op {
        /// Its place in `ops`, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// More than [`MOST_OPS`]: `413 too_large`.
    #[error("a push has at most {MOST_OPS} ops: send the rest in another")]
    TooManyOps,
}

impl Push {
    /// Reads a body.
    ///
    /// # Errors
    /// The body as a whole cannot be read; an op that says something wrong is read as its
    /// [`Rejection`].
    pub fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        let text = std::str::from_utf8(body).map_err(invalid)?;
        // Most pushes are right, and are read in one. In others a bad op fails none of its neighbours.
        match serde_json::from_str::<PushRequest<Whole>>(text) {
            Ok(request) => Self::of(request, |op| Ok(op.read())),
            Err(_) => {
                let request: PushRequest<&RawValue> =
                    serde_json::from_str(text).map_err(invalid)?;
                Self::of(request, |op| read_parts(op.get()))
            }
        }
    }

    fn of<Message>(
        request: PushRequest<Message>,
        read: impl Fn(Message) -> serde_json::Result<Parts>,
    ) -> Result<Self, InvalidRequest> {
        let complete = match (request.complete, request.as_of) {
            (true, None) => return Err(invalid("a complete push needs as_of")),
            (true, as_of) => as_of,
            (false, _) => None,
        };
        let pushed = |(index, message): (usize, Message)| {
            let invalid = |reason: String| InvalidRequest::Op { index, reason };
            let parts = read(message).map_err(|error| invalid(error.to_string()))?;
            let (Header { op_seq, op_id }, target, op) = parts;
            // Databases that count in doubles are exact up to 2⁵³.
            if !(1..1 << 53).contains(&op_seq) {
                return Err(invalid("the op_seq is out of range".into()));
            }
            Ok(PushedOp { op_seq, op_id, target, op })
        };
        let ops: Vec<PushedOp> =
            request.ops.into_iter().enumerate().map(pushed).collect::<Result<_, _>>()?;
        // Last: what cannot be read is told before what is too much.
        if ops.len() > MOST_OPS {
            return Err(InvalidRequest::TooManyOps);
        }
        Ok(Self {
            epoch: request.epoch,
            region: request.region.unwrap_or_default(),
            sent_at: request.sent_at,
            complete,
            confirm_deletes: request.confirm_deletes,
            ops,
            also_sent: request.also_sent,
        })
    }
}

fn invalid(error: impl std::fmt::Display) -> InvalidRequest {
    InvalidRequest::Request(error.to_string())
}

/// What an op says, as far as it can be read.
type Parts = (Header, Option<Target>, Result<Op, Rejection>);

/// An op in parts, so that what is wrong with one part leaves the others readable. (`serde(flatten)`
/// would copy the whole op to look for its members.)
#[derive(Deserialize)]
struct Header {
    op_seq: u64,
    op_id: OpId,
}

#[derive(Deserialize)]
struct Body {
    op: Kind,
    id: ContactId,
    base_rev: Rev,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    set: Set,
    #[serde(default)]
    add: Add,
    #[serde(default)]
    remove: Remove,
}

/// An op of which all is right.
#[derive(Deserialize)]
struct Whole {
    op_seq: u64,
    op_id: OpId,
    op: Kind,
    id: ContactId,
    base_rev: Rev,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    set: Set,
    #[serde(default)]
    add: Add,
    #[serde(default)]
    remove: Remove,
}

impl Whole {
    fn read(self) -> Parts {
        let Self { op_seq, op_id, op, id, base_rev, created_at, set, add, remove } = self;
        let content = Ok(Content { created_at, set, add, remove });
        let (target, op) = read_body(Ok(Body { op, id, base_rev }), || content);
        (Header { op_seq, op_id }, target, op)
    }
}

fn read_parts(text: &str) -> serde_json::Result<Parts> {
    let header = serde_json::from_str(text)?;
    let (target, op) = read_body(serde_json::from_str(text), || serde_json::from_str(text));
    Ok((header, target, op))
}

fn read_body(
    body: serde_json::Result<Body>,
    content: impl FnOnce() -> serde_json::Result<Content>,
) -> (Option<Target>, Result<Op, Rejection>) {
    let Body { op: kind, id, base_rev } = match body {
        Ok(body) => body,
        Err(error) => return (None, Err(RejectionCode::InvalidOp.because(error))),
    };
    let change = match kind {
        Kind::Delete => Ok(Change::Delete),
        Kind::Put => content()
            .map(|Content { created_at, set, add, remove }| Change::Put {
                created_at,
                edit: Box::new(Edit { set, add, remove }),
            })
            .map_err(|error| RejectionCode::InvalidContact.because(error)),
    };
    (Some(Target { id, kind }), change.map(|change| Op { id, base_rev, change }))
}

/// The answer to a push.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// The book.
    pub epoch: String,
    /// Up to which op the server has taken this device's.
    pub acked_seq: u64,
    /// The book's rev after it.
    pub rev: Rev,
    /// One for each op, in order, as far as the server went.
    pub results: Vec<OpResult>,
}

/// What became of one op, as it stands after the whole push.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpResult {
    /// Whose result.
    pub op_seq: u64,
    /// Its contact, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ContactId>,
    /// What became of it.
    pub status: Status,
    /// The contact's rev, if the book knows the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Rev>,
    /// For a put: the keys that others own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Vec<Lost>>,
    /// For `rejected`: why.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = WhyRejected))]
    pub rejection: Option<Rejection>,
    /// For a replay and for `kept`: the contact as pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Pulled>,
}

/// A [`Rejection`] that may be missing, as a schema can say it.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
struct WhyRejected {
    /// What a device acts on.
    code: Option<RejectionCode>,
    /// For people.
    detail: Option<String>,
}

/// What became of an op.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The contact is in everyone's book.
    Applied,
    /// The contact is a duplicate: phones show its owner in its place.
    Hidden,
    /// A replay, or a put that changes nothing.
    Unchanged,
    /// The contact is a tombstone, or unknown.
    Deleted,
    /// A delete that an edit beat.
    Kept,
    /// Refused.
    Rejected,
}

/// A key that a contact claims and another owns.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Of the number.
    pub key: NumberKey,
    /// The oldest that has it.
    pub owner: ContactId,
}

/// The most contacts that a pull asks for by name.
pub const MOST_NAMED: usize = 200;

/// The answer to `GET /sync/contacts`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PullAnswer))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullAnswer<Row = Pulled> {
    /// The book.
    pub epoch: String,
    /// In the order of (rev, id), behind those that were asked for by name.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Pulled>))]
    pub contacts: Vec<Row>,
    /// For the next pull; opaque.
    pub cursor: String,
    /// Whether another page is there.
    pub has_more: bool,
    /// Of the whole visible book, when `has_more` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The book's rev.
    pub rev: Rev,
    /// The rev of the book's calls, when `has_more` is false: a phone that has them need not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_rev: Option<Rev>,
}

/// `PUT /numbers/{key}`, answered with a [`ShareAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRequest {
    /// Whether every contact that has the number shows it.
    pub shared: bool,
}

/// The answer to a [`ShareRequest`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareAnswer {
    /// Which number.
    pub key: NumberKey,
    /// As it now stands.
    pub shared: bool,
    /// The book's rev after it.
    pub rev: Rev,
}

/// A contact as a phone pulls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Which contact.
    pub id: ContactId,
    /// The push that stamped it last.
    pub rev: Rev,
    /// What a phone shows of it.
    pub form: Form,
}

/// What a phone shows of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// All of it, but for numbers that others own.
    Visible(Arc<Shown>),
    /// Nothing: a duplicate.
    Hidden {
        /// Who is shown in its place.
        owner: ContactId,
    },
    /// Nothing: a tombstone.
    Deleted,
}

/// A contact in everyone's book.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As the server accepted it.
    pub created_at: Timestamp,
    /// The last edit.
    pub updated_at: Timestamp,
    /// Who made it.
    pub updated_by: UserId,
    /// What it says.
    #[serde(flatten)]
    pub fields: Fields,
}

/// The rows of a page as JSON, as [`Pulled`] is written, with commas between: a page is sent as its rows are
/// written.
pub struct PageRows(pub String);

impl PageRows {
    /// The JSON of an answer, with these rows for its contacts.
    pub fn into_answer(self, answer: &PullAnswer) -> String {
        let json = serde_json::to_string(answer).expect("an answer is plain text and numbers");
        let contacts = r#""contacts":["#;
        let at = json.find(contacts).expect("an answer has contacts") + contacts.len();
        let (head, tail) = json.split_at(at);
        // In its place: a page may be a mebibyte.
        let Self(mut page) = self;
        page.insert_str(0, head);
        page.push_str(tail);
        page
    }
}

/// A contact as a phone pulls it, in one of three forms.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = Pulled)]
#[serde(untagged)]
#[allow(dead_code, clippy::large_enum_variant)] // nothing but its schema is used
enum PulledForms {
    /// In everyone's book.
    Visible {
        id: ContactId,
        rev: Rev,
        #[serde(flatten)]
        shown: Shown,
    },
    /// A duplicate: `owner` is shown in its place.
    Hidden { id: ContactId, rev: Rev, hidden: bool, owner: ContactId },
    /// A tombstone.
    Deleted { id: ContactId, rev: Rev, deleted: bool },
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Pulled {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        PulledForms::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Pulled {
    fn schemas(all: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        <PulledForms as utoipa::ToSchema>::schemas(all);
    }
}

impl Serialize for Pulled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            id: ContactId,
            rev: Rev,
            #[serde(skip_serializing_if = "Option::is_none")]
            deleted: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            hidden: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            owner: Option<ContactId>,
            #[serde(flatten)]
            shown: Option<&'a Shown>,
        }
        let Self { id, rev, ref form } = *self;
        let mut row = Row { id, rev, deleted: None, hidden: None, owner: None, shown: None };
        match form {
            Form::Visible(shown) => row.shown = Some(shown),
            Form::Hidden { owner } => (row.hidden, row.owner) = (Some(true), Some(*owner)),
            Form::Deleted => row.deleted = Some(true),
        }
        row.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pulled {
    /// All members by name: serde would copy a flattened struct to look for its own, and a first pull has
    /// all contacts of the book.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Row {
            id: ContactId,
            rev: Rev,
            #[serde(default)]
            deleted: bool,
            #[serde(default)]
            hidden: bool,
            owner: Option<ContactId>,
            created_at: Option<Timestamp>,
            updated_at: Option<Timestamp>,
            updated_by: Option<UserId>,
            name: Option<Line>,
            nickname: Option<Line>,
            organization: Option<Line>,
            title: Option<Line>,
            note: Option<Note>,
            name_parts: Option<Box<NameParts>>,
            birthday: Option<Birthday>,
            #[serde(default)]
            starred: bool,
            #[serde(default)]
            phones: Vec<Phone>,
            #[serde(default)]
            emails: Vec<Entry>,
            #[serde(default)]
            urls: Vec<Entry>,
            #[serde(default)]
            addresses: Vec<Entry>,
            #[serde(default)]
            groups: Vec<Line>,
        }
        let row = Row::deserialize(deserializer)?;
        let edited = (row.created_at, row.updated_at, row.updated_by);
        let form = match (row.deleted, row.hidden, row.owner, edited) {
            (true, ..) => Form::Deleted,
            (_, true, Some(owner), _) => Form::Hidden { owner },
            (_, false, _, (Some(created_at), Some(updated_at), Some(updated_by))) => {
                let fields = Fields {
                    name: row.name,
                    nickname: row.nickname,
                    organization: row.organization,
                    title: row.title,
                    note: row.note,
                    name_parts: row.name_parts,
                    birthday: row.birthday,
                    starred: row.starred,
                    phones: row.phones,
                    emails: row.emails,
                    urls: row.urls,
                    addresses: row.addresses,
                    groups: row.groups,
                };
                Form::Visible(Arc::new(Shown { created_at, updated_at, updated_by, fields }))
            }
            _ => return Err(D::Error::custom("a contact without owner, created_at or updated_at")),
        };
        Ok(Self { id: row.id, rev: row.rev, form })
    }
}

#[cfg(test)]
mod tests;
