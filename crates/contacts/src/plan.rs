//! What a push does to the book: a pure function from what the book holds of what the push touches
//! to a plan that the service writes (rules 3.1 to 3.6 and section 4 of the protocol).
//!
//! Ops act one after another (`book.rs`) on a working copy (`draft.rs`); at the end, whatever differs
//! from what was read is stamped with the push's rev. Reading and writing the database must never live
//! here.

mod book;
mod deletes;
mod draft;
mod puts;
mod rekey;
mod share;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callbook_base::{ContactId, DeviceId, Rev, Timestamp, UserId};
use callbook_dedup::{Claim, NumberKey, Tables};
use serde::{Deserialize, Serialize};

use crate::clock::{Clocks, Floor};
use crate::digest::Digest;
use crate::fields::Fields;
use crate::op::{Change, Kind, Op, OpId, Push, PushedOp, Rejection};
use crate::wire::{Form, OpResult, Pulled, Shown, Status};
use book::{Book, Outcome};
pub use deletes::{Deletes, are_many_deletes, unconfirmed_delete};
pub use puts::{Author, Put, SplitError, plan_puts, split};
pub use rekey::{rekey, rekeyed};
pub use share::share;

/// What the book holds of what is to change.
#[derive(Debug, Clone)]
pub struct Held {
    /// The book's rev.
    pub rev: Rev,
    /// Of its visible contacts.
    pub digest: Digest,
    /// How many visible contacts it has.
    pub visible: u64,
    /// The latest time at which it changed.
    pub clock: Timestamp,
    /// All contacts that are to change, all that a deleted one of these took with it, and all that
    /// claim a key which one of these has or gets.
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Fields of the contacts that are to change; of a push in the order of its ops and as far as
    /// memory goes: the plan stops at the first op whose contact is there and its fields are not.
    pub fields: BTreeMap<ContactId, Fields>,
    /// All claims on all keys of `contacts`, and of those that they get.
    pub claims: Vec<(NumberKey, Claim)>,
    /// Those of all these keys that several contacts may show.
    pub shared: BTreeSet<NumberKey>,
}

/// What a push is planned by.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The book, as far as the push touches it.
    pub held: Held,
    /// What makes the keys.
    pub tables: Tables,
    /// Whose push it is.
    pub user: UserId,
    /// The device that pushes, and those that it replaces, theirs too, with what each has deleted.
    pub lineage: BTreeMap<DeviceId, Deletes>,
    /// The device itself.
    pub id: DeviceId,
    /// What the book remembers of it.
    pub device: Device,
    /// The rev of the last edit that another device than the lineage's made, for contacts that ops
    /// delete.
    pub edited_by_others: BTreeMap<ContactId, Rev>,
}

impl Facts {
    /// Whether an edit beats a delete that had not seen it (rule 3.6).
    fn keeps(&self, delete: &Op) -> bool {
        self.edited_by_others.get(&delete.id).is_some_and(|edit| *edit > delete.base_rev)
    }
}

/// What the book remembers of a device's pushes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its last op that was taken, 0 while there is none.
    pub acked_seq: u64,
    /// What it called that op.
    pub acked_op: Option<OpId>,
    /// `None` until its first complete push.
    pub floor: Option<Floor>,
    /// Of its ops, those whose answers may not have arrived.
    pub rejections: Vec<Remembered>,
    /// What it has deleted lately.
    pub deletes: Deletes,
}

/// A rejection that is repeated until a push of later ops proves that it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Of which op.
    pub op_seq: u64,
    /// What was answered.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// A contact in the book, without its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As accepted, for good.
    pub created_at: Timestamp,
    /// The push that stamped it last.
    pub rev: Rev,
    /// Who sees it.
    pub state: State,
    /// Of its numbers; sorted, each once.
    pub keys: Vec<NumberKey>,
    /// Those of its keys that another owns; empty in a tombstone.
    pub asleep: Vec<NumberKey>,
    /// The last edit.
    pub edit: LastEdit,
}

/// Who changed a contact's content last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEdit {
    /// In which push.
    pub rev: Rev,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
}

/// Who sees a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everyone: it owns or shares one of its keys, or has none.
    Visible,
    /// Nobody: others own all its keys.
    Hidden {
        /// The oldest of them when it was hidden.
        owner: ContactId,
    },
    /// A tombstone.
    Deleted {
        /// Since when.
        at: Timestamp,
        /// The contact whose delete took this hidden one with it.
        retired_by: Option<ContactId>,
        /// The hidden ones that its own delete took with it.
        took: Vec<ContactId>,
    },
}

impl State {
    /// Whether it is no tombstone.
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Deleted { .. })
    }
}

/// What to write to the book.
#[derive(Debug)]
pub struct Changes {
    /// The book's rev after them; the same as before when nothing changes.
    pub rev: Rev,
    /// Of the visible contacts after them.
    pub digest: Digest,
    /// How many visible contacts the book has after them.
    pub visible: u64,
    /// The latest time at which the book changed.
    pub clock: Timestamp,
    /// Contacts to write whole: new ones, and those whose content changed.
    pub edited: Vec<(ContactId, Contact, Arc<Fields>)>,
    /// Those of them that are not new. What they were is history.
    pub superseded: Vec<ContactId>,
    /// Contacts to write whole whose numbers got other keys. That is no edit.
    pub rekeyed: Vec<(ContactId, Contact, Arc<Fields>)>,
    /// Contacts of which all but the fields is to be written.
    pub stamped: Vec<(ContactId, Contact)>,
    /// Claims that end, as the book sorts them.
    pub unclaimed: Vec<(NumberKey, Claim)>,
    /// Claims that begin, as the book sorts them.
    pub claimed: Vec<(NumberKey, Claim)>,
}

impl Changes {
    fn none(held: &Held) -> Self {
        Self {
            rev: held.rev,
            digest: held.digest,
            visible: held.visible,
            clock: held.clock,
            edited: Vec::new(),
            superseded: Vec::new(),
            rekeyed: Vec::new(),
            stamped: Vec::new(),
            unclaimed: Vec::new(),
            claimed: Vec::new(),
        }
    }
}

/// What to write, and what to answer.
#[derive(Debug)]
pub struct Plan {
    /// To the book.
    pub changes: Changes,
    /// What the book remembers of the device after it.
    pub device: Device,
    /// One for each op, as far as the plan goes.
    pub results: Vec<OpResult>,
}

/// A push of which nothing is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The ops do not go on where the last push ended, or have a gap: `409 op_gap`.
    #[error("the ops do not follow those that the book has: op {expected} is expected")]
    OpGap {
        /// The op that may come first at the latest.
        expected: u64,
    },
    /// The op that was acknowledged last is not among these, or is another: two phones count as one
    /// device. `409 op_reused`.
    #[error("another phone has used these ops' numbers: this one is a copy, sign in again")]
    OpReused,
}

/// Plans a push that arrives at `now`.
///
/// # Errors
/// Nothing of the push may be applied.
pub fn plan(facts: &Facts, push: &Push, now: Timestamp) -> Result<Plan, PlanError> {
    let acked = facts.device.acked_seq;
    let gapless = push.ops.windows(2).all(|pair| pair[1].op_seq == pair[0].op_seq + 1);
    if !gapless || push.ops.first().is_some_and(|op| op.op_seq > acked + 1) {
        return Err(PlanError::OpGap { expected: acked + 1 });
    }
    let first = push.ops.first().map(|op| op.op_seq);
    let is_replay = first.is_some_and(|first| first <= acked);
    let op_ids = push.ops.iter().map(|op| &op.op_id).chain(&push.also_sent);
    let is_last_acked = |(op_seq, op_id): (u64, &OpId)| {
        op_seq == acked && Some(op_id) == facts.device.acked_op.as_ref()
    };
    if is_replay && !(first.unwrap_or(1)..).zip(op_ids).any(is_last_acked) {
        return Err(PlanError::OpReused);
    }
    let too_many_deletes = deletes::are_too_many(facts, push, now);

    let arrived = now;
    let now = now.max(facts.held.clock).max(facts.device.floor.unwrap_or(Timestamp::MIN));
    let clocks = Clocks { now, sent_at: push.sent_at };
    let mut book = Book::new(facts, clocks, &push.region);
    let outcomes = push.ops.iter().map_while(|op| {
        book.has_room(op).then(|| match &op.op {
            _ if op.op_seq <= acked => replay(op, &facts.device),
            Err(rejection) => Outcome::Rejected(rejection.clone()),
            Ok(op) if too_many_deletes && op.change == Change::Delete => {
                Outcome::Rejected(unconfirmed_delete())
            }
            Ok(op) => book.act(op),
        })
    });
    let outcomes: Vec<Outcome> = outcomes.collect();
    let done = &push.ops[..outcomes.len()];
    let device = Device {
        acked_seq: done.last().map_or(acked, |op| acked.max(op.op_seq)),
        acked_op: match done.last() {
            Some(op) if op.op_seq > acked => Some(op.op_id.clone()),
            _ => facts.device.acked_op.clone(),
        },
        floor: match push.complete {
            Some(as_of) if done.len() == push.ops.len() => {
                Some(clocks.floor(facts.device.floor, as_of))
            }
            _ => facts.device.floor,
        },
        rejections: rejections(&facts.device, done, &outcomes),
        deletes: match too_many_deletes {
            true => facts.device.deletes.clone(),
            false => facts.device.deletes.with(deletes::effective(facts, done), arrived),
        },
    };
    let changes = book.draft.changes(now);
    let outcomes = done.iter().zip(outcomes);
    let results = outcomes.map(|(op, outcome)| result(&book, op, outcome)).collect();
    Ok(Plan { changes, device, results })
}

/// What is to be repeated: of the ops of this push and of those behind them. A push without ops proves
/// nothing: it may have been on its way for long.
fn rejections(before: &Device, done: &[PushedOp], outcomes: &[Outcome]) -> Vec<Remembered> {
    let first = done.first().map_or(0, |op| op.op_seq);
    let kept = before.rejections.iter().filter(|remembered| remembered.op_seq >= first).cloned();
    let new = done.iter().zip(outcomes).filter(|(op, _)| op.op_seq > before.acked_seq);
    let new = new.filter_map(|(op, outcome)| match outcome {
        Outcome::Rejected(rejection) => {
            Some(Remembered { op_seq: op.op_seq, rejection: rejection.clone() })
        }
        _ => None,
    });
    kept.chain(new).collect()
}

/// A replay is `unchanged`, but a rejection is repeated as it was.
fn replay(op: &PushedOp, device: &Device) -> Outcome {
    let remembered = device.rejections.iter().find(|remembered| remembered.op_seq == op.op_seq);
    remembered.map_or(Outcome::Replayed, |found| Outcome::Rejected(found.rejection.clone()))
}

/// The result of an op, as the book stands after the whole push.
fn result(book: &Book<'_>, op: &PushedOp, outcome: Outcome) -> OpResult {
    let contact = op.target.and_then(|target| book.draft.contact(target.id));
    let row = || {
        let target = op.target?;
        Some(pulled(target.id, contact?, book.fields(target.id)?))
    };
    let state = match contact.map(|contact| &contact.state) {
        Some(State::Visible) => Status::Applied,
        Some(State::Hidden { .. }) => Status::Hidden,
        Some(State::Deleted { .. }) | None => Status::Deleted,
    };
    let (status, rejection, contact_row) = match outcome {
        Outcome::Replayed => (Status::Unchanged, None, row()),
        Outcome::Unchanged if state != Status::Deleted => (Status::Unchanged, None, None),
        Outcome::Kept => (Status::Kept, None, row()),
        Outcome::Rejected(rejection) => (Status::Rejected, Some(rejection), None),
        Outcome::Unchanged | Outcome::Done => (state, None, None),
    };
    OpResult {
        op_seq: op.op_seq,
        id: op.target.map(|target| target.id),
        status,
        rev: contact.map(|contact| contact.rev),
        lost: op
            .target
            .filter(|target| target.kind == Kind::Put)
            .map(|target| book.lost(target.id)),
        rejection,
        contact: contact_row,
    }
}

/// A contact as a phone pulls it: of its numbers those that it owns, and those without a key.
pub fn pulled(id: ContactId, contact: &Contact, fields: &Fields) -> Pulled {
    let form = match contact.state {
        State::Deleted { .. } => Form::Deleted,
        State::Hidden { owner } => Form::Hidden { owner },
        State::Visible => {
            let mut fields = fields.clone();
            fields.take_numbers(&contact.asleep);
            let LastEdit { at: updated_at, user: updated_by, .. } = contact.edit;
            let created_at = contact.created_at;
            Form::Visible(Arc::new(Shown { created_at, updated_at, updated_by, fields }))
        }
    };
    Pulled { id, rev: contact.rev, form }
}

#[cfg(test)]
mod tests;
