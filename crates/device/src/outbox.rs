//! What the user changed and the book does not show yet: ops, in the order in which they were made.
//! Sending them must never live here.

use std::collections::BTreeMap;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use callbook_contacts::{Edit, Fields, OpId, Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

/// An op in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Its place among all ops that this phone has ever queued. Its `op_seq` is another count, which
    /// every sign-in begins anew.
    pub place: u64,
    /// Its idempotency key, for good.
    pub op_id: OpId,
    /// Which contact.
    pub id: ContactId,
    /// The contact's rev as last pulled, 0 for a new one.
    pub base_rev: Rev,
    /// What happens to it.
    pub change: Change,
    /// The book's rev after the push that the server took it with; `None` until then. A pull up to
    /// there shows what came of it.
    pub acked: Option<Rev>,
}

impl Queued {
    /// With this region for the numbers that have none of their own, if there are any.
    pub(crate) fn written_in(&self, region: &Line) -> Option<Self> {
        let change = self.change.written_in(region)?;
        Some(Self { change, ..self.clone() })
    }
}

/// What an op does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Makes a contact, at a time of the phone's clock.
    Create(Timestamp, Box<Edit>),
    /// Edits a contact.
    Edit(Box<Edit>),
    /// Deletes a contact.
    Delete,
}

impl Change {
    fn written_in(&self, region: &Line) -> Option<Self> {
        let mut change = self.clone();
        let edit = match &mut change {
            Self::Create(_, edit) | Self::Edit(edit) => edit,
            Self::Delete => return None,
        };
        edit.add.phones.iter_mut().for_each(|phone| {
            phone.region.get_or_insert_with(|| region.clone());
        });
        (change != *self).then_some(change)
    }
}

/// A change that the book does not have, kept until the user says what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Its place among all ops that this phone has ever queued.
    pub place: u64,
    /// Which contact.
    pub id: ContactId,
    /// What happens to it.
    pub change: Change,
    /// Why the book does not have it.
    pub why: Why,
}

/// Why the book does not have a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It is larger than a request.
    TooLarge,
    /// It was refused.
    Refused(Rejection),
    /// The book was restored from a backup that was older. The change brings back what the phone showed.
    Restored,
}

impl Aside {
    pub(crate) fn new(op: &Queued, why: Why) -> Self {
        Self { place: op.place, id: op.id, change: op.change.clone(), why }
    }

    /// With this region for the numbers that have none of their own, if there are any.
    pub(crate) fn written_in(&self, region: &Line) -> Option<Self> {
        let change = self.change.written_in(region)?;
        Some(Self { change, ..self.clone() })
    }

    /// Whether it is one of so many deletes that the book wants to know whether they are meant.
    pub fn is_unconfirmed_delete(&self) -> bool {
        matches!(&self.why, Why::Refused(why) if why.code == RejectionCode::TooManyDeletes)
    }

    /// Whether it was in the book before that was restored.
    pub fn is_lost(&self) -> bool {
        self.why == Why::Restored
    }
}

/// The outbox in memory: the ops of the store, by place and by contact.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    ops: BTreeMap<u64, Queued>,
    places: BTreeMap<ContactId, Vec<u64>>,
    unacked: usize,
}

impl FromIterator<Queued> for Outbox {
    fn from_iter<T: IntoIterator<Item = Queued>>(ops: T) -> Self {
        let mut outbox = Self::default();
        ops.into_iter().for_each(|op| outbox.insert(op));
        outbox
    }
}

impl Outbox {
    pub(crate) fn insert(&mut self, op: Queued) {
        self.unacked += usize::from(op.acked.is_none());
        let places = self.places.entry(op.id).or_default();
        places.insert(places.partition_point(|before| *before < op.place), op.place);
        self.ops.insert(op.place, op);
    }

    pub(crate) fn remove(&mut self, place: u64) -> Option<Queued> {
        let op = self.ops.remove(&place)?;
        self.unacked -= usize::from(op.acked.is_none());
        if let Some(places) = self.places.get_mut(&op.id) {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.places.remove(&op.id);
            }
        }
        Some(op)
    }

    pub(crate) fn ops(&self) -> impl Iterator<Item = &Queued> {
        self.ops.values()
    }

    pub(crate) fn get(&self, place: u64) -> Option<&Queued> {
        self.ops.get(&place)
    }

    /// The server has taken an op, in a push after which the book stood at `rev`.
    pub(crate) fn acknowledge(&mut self, place: u64, rev: Rev) {
        if let Some(op) = self.ops.get_mut(&place).filter(|op| op.acked.is_none()) {
            op.acked = Some(rev);
            self.unacked -= 1;
        }
    }

    /// Ops that the server has not taken, in order. They are behind all that it has.
    pub(crate) fn unacked(&self) -> impl Iterator<Item = &Queued> {
        let acked = self.ops.len() - self.unacked;
        self.ops.values().skip(acked)
    }

    pub(crate) fn unacked_len(&self) -> usize {
        self.unacked
    }

    pub(crate) fn acked_len(&self) -> usize {
        self.ops.len() - self.unacked
    }

    /// Places of the ops whose outcome a pull up to `rev` has shown.
    pub(crate) fn shown_at(&self, rev: Rev) -> Vec<u64> {
        let acked = self.ops.values().take(self.acked_len());
        acked.filter(|op| op.acked.is_some_and(|acked| acked <= rev)).map(|op| op.place).collect()
    }

    /// The deletes after which no op brings their contact back.
    pub(crate) fn deletes(&self) -> impl Iterator<Item = &Queued> {
        let last = self.places.values().filter_map(|places| self.ops.get(places.last()?));
        last.filter(|op| op.change == Change::Delete)
    }

    /// Whether ops are about a contact.
    pub(crate) fn touches(&self, id: ContactId) -> bool {
        self.places.contains_key(&id)
    }

    /// Whether the server has yet to hear of a contact from an op that calls it new.
    pub(crate) fn makes(&self, id: ContactId) -> bool {
        let places = self.places.get(&id).into_iter().flatten();
        let mut ops = places.filter_map(|place| self.ops.get(place));
        ops.any(|op| op.acked.is_none() && op.base_rev == Rev(0) && op.change != Change::Delete)
    }

    /// The first contact from there on that ops are about.
    pub(crate) fn next(&self, from: std::ops::Bound<ContactId>) -> Option<ContactId> {
        self.places.range((from, std::ops::Bound::Unbounded)).next().map(|(id, _)| *id)
    }

    /// A contact as its user sees it: what was pulled, with their own changes on top.
    pub(crate) fn on_top(
        &self,
        id: ContactId,
        pulled: Option<Fields>,
        region: &Line,
    ) -> Option<Fields> {
        let places = self.places.get(&id).into_iter().flatten();
        places.filter_map(|place| self.ops.get(place)).fold(pulled, |shown, op| match &op.change {
            Change::Delete => None,
            Change::Create(_, edit) => Some(edited(shown.unwrap_or_default(), edit, region)),
            // An edit of what others have hidden or deleted since shows nothing until the server
            // has said what comes of it.
            Change::Edit(edit) => shown.map(|fields| edited(fields, edit, region)),
        })
    }
}

/// The server alone decides keys; what would be too large it refuses.
fn edited(fields: Fields, edit: &Edit, region: &Line) -> Fields {
    edit.apply(&fields, region, |_, _| None).unwrap_or(fields)
}

/// Whether the book's contact has all that a phone has shown of it.
pub(crate) fn has(book: &Fields, shown: &Fields, region: &Line) -> bool {
    let mut book = book.clone();
    book.phones.iter_mut().for_each(|phone| phone.key = None); // an edit on the phone makes none
    edited(book.clone(), &Edit::whole(shown.clone()), region) == book
}
