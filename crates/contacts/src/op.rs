//! What a device asks for: ops, and why one is refused. How they are read from JSON is in `wire`.

use std::fmt;
use std::str::FromStr;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use serde::{Deserialize, Serialize};

use crate::edit::{Edit, TooLarge};

/// One push, read.
#[derive(Debug, Clone)]
pub struct Push {
    /// The book that the device knows; `None` when it has had no answer yet.
    pub epoch: Option<String>,
    /// Where numbers without a region of their own were written.
    pub region: Line,
    /// The device's clock at sending.
    pub sent_at: Timestamp,
    /// When the outbox was read that this push empties; `None` when more is to come.
    pub complete: Option<Timestamp>,
    /// Whether the user has said yes to deleting many.
    pub confirm_deletes: bool,
    /// In the order in which they were sent.
    pub ops: Vec<PushedOp>,
    /// What the ops behind these are called, if earlier pushes may have had them.
    pub also_sent: Vec<OpId>,
}

/// One op of a push, with its place in the device's count.
#[derive(Debug, Clone)]
pub struct PushedOp {
    /// From 1, without gaps, for each device.
    pub op_seq: u64,
    /// What the device calls it: the idempotency key.
    pub op_id: OpId,
    /// Which contact, and whether it is put: as far as it can be read, for the answer.
    pub target: Option<Target>,
    /// The op, or why it cannot be read.
    pub op: Result<Op, Rejection>,
}

/// What an op is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The contact.
    pub id: ContactId,
    /// Put or deleted.
    pub kind: Kind,
}

/// The two ops.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Makes a contact, or edits one.
    Put,
    /// Makes a tombstone.
    Delete,
}

/// A change of one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// Which contact.
    pub id: ContactId,
    /// The contact's rev as last pulled, 0 for a new one.
    pub base_rev: Rev,
    /// What happens to it.
    pub change: Change,
}

/// What an op does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes a contact, or edits one.
    Put {
        /// For a new one: when it was made, by the device's clock.
        created_at: Option<Timestamp>,
        /// What changes.
        edit: Box<Edit>,
    },
    /// Makes a tombstone.
    Delete,
}

/// An idempotency key: 1 to 64 characters without NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpId(String);

/// A text that is no op id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an op_id has 1 to 64 characters, without NUL")]
pub struct InvalidOpId;

impl FromStr for OpId {
    type Err = InvalidOpId;
    fn from_str(text: &str) -> Result<Self, InvalidOpId> {
        let fits = (1..=64).contains(&text.chars().count()) && !text.contains('\0');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidOpId) }
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

callbook_base::serde_as_text!(OpId);

/// Why an op was refused. Its neighbours go on, and it counts as acknowledged.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// What a device acts on.
    pub code: RejectionCode,
    /// For people. It may quote what was sent.
    pub detail: String,
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({:?})", self.code)
    }
}

/// The stable codes of rejected ops.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionCode {
    /// No put or delete, or one without its id or `base_rev`.
    InvalidOp,
    /// A field that no contact has, or a value that it cannot have.
    InvalidContact,
    /// More entries or bytes than a contact holds.
    ContactTooLarge,
    /// A `base_rev` above 0 on an id that the book does not know: its tombstone was purged. The
    /// device sends the contact whole, with 0.
    UnknownContact,
    /// A `base_rev` above the book's rev.
    BaseRevAhead,
    /// A delete of a push that deletes much of the book, which its user has not confirmed. The device
    /// asks, and sends it as a new op with `confirm_deletes`.
    TooManyDeletes,
}

/// The most characters of a [`Rejection`]'s detail: the book keeps up to 500 of them in one row.
const LONGEST_DETAIL: usize = 300;

impl RejectionCode {
    /// With its explanation, which is cut where it quotes too much.
    pub(crate) fn because(self, detail: impl fmt::Display) -> Rejection {
        Rejection { code: self, detail: detail.to_string().chars().take(LONGEST_DETAIL).collect() }
    }
}

impl From<TooLarge> for Rejection {
    fn from(error: TooLarge) -> Self {
        RejectionCode::ContactTooLarge.because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_prints_its_code_and_nothing_that_was_sent() {
        let rejection =
            RejectionCode::InvalidContact.because("no contact has the field +1 415 555 2671");
        assert_eq!(format!("{rejection:?}"), "Rejection(InvalidContact)");
        let long = RejectionCode::InvalidOp.because("x".repeat(1_000));
        assert_eq!(long.detail.len(), LONGEST_DETAIL);
    }
}
