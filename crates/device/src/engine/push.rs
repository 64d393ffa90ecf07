//! Pushing contacts: which ops go together, and what becomes of them.

use callbook_base::{Rev, Timestamp};
use callbook_contacts::wire::{Form, OpMessage, OpResult, PushAnswer, PushRequest, Status};
use callbook_contacts::{Edit, Kind, OpId, Rejection, RejectionCode};
use serde_json::value::RawValue;

use super::restored::Fork;
use super::{Ask, Engine, Outcome, Sent};
use crate::outbox::{Aside, Change, Queued, Why};
use crate::portion::Load;
use crate::store::{State, Store, StoreChange, StoreError};
use crate::transport::Method;

/// The most bytes of ops in one push: a mebibyte, less what is around them, and the names of ops behind
/// them.
const MOST_BYTES: usize = (1 << 20) - 40_960;

impl<S: Store> Engine<S> {
    /// The longest run of ops from the first that the server has not taken. So a push that had no
    /// answer is sent again with the same ops, perhaps more behind them, and with fewer only when it seems to
    /// have died of so many: then it names those behind them, which the server may have.
    pub(super) fn push_contacts(
        &mut self,
        now: Timestamp,
    ) -> Result<Option<(Sent, Ask)>, StoreError> {
        if self.outbox.unacked_len() == 0 && self.state.told_all {
            return Ok(None);
        }
        self.count_deletes()?;
        let mut ops: Vec<Box<RawValue>> = Vec::new();
        let mut places = Vec::new();
        let mut bytes = 0;
        let most = self.state.portions.size(Load::Ops);
        for (op, op_seq) in self.outbox.unacked().zip(self.state.acked_seq + 1..).take(most) {
            let json = message(op, op_seq);
            bytes += json.get().len() + 1;
            if bytes > MOST_BYTES {
                break;
            }
            ops.push(json);
            places.push(op.place);
        }
        let first = self.outbox.unacked().next().map(|op| op.place);
        if let (true, Some(first)) = (places.is_empty(), first) {
            // It can never be sent, so the server's count knows nothing of it.
            self.put_aside(first)?;
            return self.push_contacts(now);
        }
        let complete = places.len() == self.outbox.unacked_len();
        let is_reduced = self.state.portions.reduced(Load::Ops).is_some();
        let behind = self.outbox.unacked().take(Load::Ops.most()).skip(places.len());
        let also_sent: Vec<OpId> =
            behind.filter(|_| is_reduced).map(|op| op.op_id.clone()).collect();
        let named = also_sent.len();
        let request = PushRequest {
            epoch: self.state.epoch.clone(),
            region: Some(self.state.region.clone()),
            sent_at: now,
            as_of: complete.then_some(now),
            complete,
            confirm_deletes: first.is_some_and(|first| first < self.state.confirmed_to),
            ops: ops.iter().map(|op| &**op).collect(),
            also_sent,
        };
        let body = serde_json::to_vec(&request).expect("a push is plain text and numbers");
        let asked = self.ask(Method::Post, "/sync/contacts".to_owned(), Some(body));
        Ok(Some((Sent::PushContacts { places, named, complete }, asked)))
    }

    /// Ops that were taken stay on top of the mirror until a pull shows what came of them.
    pub(super) fn contacts_pushed(
        &mut self,
        answer: PushAnswer,
        (places, named, complete): (&[u64], usize, bool),
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let before = self.state.acked_seq;
        let Some(taken) = answer.acked_seq.checked_sub(before) else {
            // A push without ops has no gap to refuse.
            self.restored(Fork::forgotten(answer.acked_seq))?;
            return Ok(Outcome::Taken);
        };
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        if taken > places.len() + named {
            // And no op that another phone has used: the book has had ops that this one has not sent.
            self.is_a_copy()?;
            return Ok(Outcome::Taken);
        }
        // What came of those behind, which an earlier push had, is asked for with the next.
        let taken = taken.min(places.len());
        let mut state = State {
            acked_seq: before + taken as u64,
            epoch: Some(answer.epoch),
            told_all: self.state.told_all || (complete && taken == places.len()),
            ..self.state.clone()
        };
        state.portions.grow(Load::Ops, places.len());
        let (mut changes, mut fates, mut duplicates) = (Vec::new(), Vec::new(), Vec::new());
        for (index, place) in places[..taken].iter().enumerate() {
            let Some(op) = self.outbox.get(*place) else { continue };
            let result = answer.results.get(index);
            if let Some(form) = result.and_then(hidden) {
                duplicates.extend(self.duplicate(op.id, &form, now)?);
            }
            let fate = self.fate(op, result, state.next_place)?;
            match &fate {
                Fate::Acked => {
                    let op = Queued { acked: Some(answer.rev), ..op.clone() };
                    changes.push(StoreChange::PutOp(op));
                }
                Fate::Again(again) => {
                    state.next_place += 1;
                    changes.push(StoreChange::RemoveOp(*place));
                    changes.push(StoreChange::PutOp(again.clone()));
                }
                Fate::Aside(aside) => {
                    changes.push(StoreChange::RemoveOp(*place));
                    changes.push(StoreChange::PutAside(aside.clone()));
                }
            }
            fates.push((*place, fate));
        }
        changes.extend(duplicates.iter().cloned());
        self.commit(state, changes)?;

        self.note_duplicates(duplicates);
        for (place, fate) in fates {
            match fate {
                Fate::Acked => self.outbox.acknowledge(place, answer.rev),
                Fate::Again(again) => {
                    self.outbox.remove(place);
                    self.outbox.insert(again);
                }
                Fate::Aside(aside) => {
                    self.outbox.remove(place);
                    self.aside.push(aside);
                }
            }
        }
        self.counts.0 += taken as u64;
        if self.outbox.unacked_len() == 0 {
            self.advance();
        }
        Ok(Outcome::Taken)
    }

    /// What becomes of an op that the server has taken. `place` is for a new op.
    fn fate(&self, op: &Queued, result: Option<&OpResult>, place: u64) -> Result<Fate, StoreError> {
        let Some(OpResult { status: Status::Rejected, rejection, .. }) = result else {
            return Ok(Fate::Acked);
        };
        // The service always says why.
        let nameless = || Rejection { code: RejectionCode::InvalidOp, detail: String::new() };
        let rejection = rejection.clone().unwrap_or_else(nameless);
        let is_unknown = rejection.code == RejectionCode::UnknownContact;
        let shown = self.contact(op.id)?.filter(|_| is_unknown);
        Ok(match shown {
            // The book has forgotten its tombstone: it is sent whole, as a new op.
            Some(fields) => Fate::Again(Queued {
                place,
                op_id: again_id(&op.op_id),
                id: op.id,
                base_rev: Rev(0),
                change: Change::Edit(Box::new(Edit::whole(fields))),
                acked: None,
            }),
            None => Fate::Aside(Aside::new(op, Why::Refused(rejection))),
        })
    }

    /// A push was refused for its size: the next one is half as long, or its only op is put aside.
    pub(super) fn too_large(&mut self, places: &[u64]) -> Result<(), StoreError> {
        match places {
            [place] => self.put_aside(*place),
            places => self.halve(Load::Ops, places.len()),
        }
    }

    fn put_aside(&mut self, place: u64) -> Result<(), StoreError> {
        let Some(op) = self.outbox.get(place) else { return Ok(()) };
        let aside = Aside::new(op, Why::TooLarge);
        let changes = vec![StoreChange::PutAside(aside.clone()), StoreChange::RemoveOp(place)];
        self.commit(self.state.clone(), changes)?;
        self.outbox.remove(place);
        self.aside.push(aside);
        Ok(())
    }
}

/// What a result says of a contact that is a duplicate.
fn hidden(result: &OpResult) -> Option<Form> {
    let owners = result.lost.iter().flatten().map(|lost| lost.owner);
    let owner = owners.min().filter(|_| result.status == Status::Hidden);
    let replayed = || result.contact.as_ref().map(|contact| contact.form.clone());
    owner.map(|owner| Form::Hidden { owner }).or_else(replayed)
}

/// What becomes of an op that the server has taken.
enum Fate {
    /// It stays on top of the mirror until a pull shows what came of it.
    Acked,
    /// Another takes its place, at the end.
    Again(Queued),
    /// It was refused.
    Aside(Aside),
}

/// The id of an op that takes the place of another.
fn again_id(op_id: &OpId) -> OpId {
    let text: String = op_id.to_string().chars().take(63).collect();
    format!("{text}r").parse().expect("an op id with one character more, within its limit")
}

/// An op as it is sent by this device.
fn message(op: &Queued, op_seq: u64) -> Box<RawValue> {
    let (kind, created_at, edit) = match &op.change {
        Change::Create(at, edit) => (Kind::Put, Some(*at), Some(&**edit)),
        Change::Edit(edit) => (Kind::Put, None, Some(&**edit)),
        Change::Delete => (Kind::Delete, None, None),
    };
    let Queued { op_id, id, base_rev, .. } = op;
    OpMessage { op_seq, op_id, op: kind, id: *id, base_rev: *base_rev, created_at, edit }.to_json()
}
