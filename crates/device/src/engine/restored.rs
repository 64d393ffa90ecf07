//! A book that was restored from a backup (section 4): this phone knows more of it than it does itself.

use callbook_base::{ContactId, Rev};
use callbook_contacts::{Edit, Fields};

use super::{Engine, Outcome, ProblemAnswer, Stage};
use crate::event::Happened;
use crate::outbox::{Aside, Change, Outbox, Queued, Why, has};
use crate::provider::Link;
use crate::store::{Mirrored, State, Store, StoreChange, StoreError};

/// Where the restored book and the one that this phone knows part.
pub(super) struct Fork {
    /// What the restored book is called; `None` when it is called as before.
    epoch: Option<String>,
    /// This device's ops that it has.
    acked_seq: u64,
    /// Up to there both are the same.
    rev: Rev,
}

impl Fork {
    /// When the book has forgotten ops that it had, and nobody has said that it was restored.
    pub(super) fn forgotten(acked_seq: u64) -> Self {
        Self { epoch: None, acked_seq, rev: Rev(0) }
    }
}

impl<S: Store> Engine<S> {
    /// What the refusal of a push tells of a restored book, if it tells that and it is news.
    pub(super) fn fork(&self, problem: &ProblemAnswer) -> Option<Fork> {
        match problem.code.as_str() {
            "epoch_changed" if problem.epoch != self.state.epoch => Some(Fork {
                epoch: Some(problem.epoch.clone()?),
                acked_seq: problem.acked_seq?,
                rev: problem.rev.unwrap_or(Rev(0)),
            }),
            "op_gap" => {
                let acked_seq = problem.expected?.checked_sub(1)?;
                (acked_seq < self.state.acked_seq).then(|| Fork::forgotten(acked_seq))
            }
            _ => None,
        }
    }

    /// Whether a book is called otherwise than the one that this phone knows.
    pub(super) fn is_another_book(&self, epoch: &str) -> bool {
        self.state.epoch.as_deref().is_some_and(|known| known != epoch)
    }

    /// A pull comes from a book that this phone knows by another epoch. How far they agree, the refusal of
    /// a push tells; nothing of the pull is taken before that.
    pub(super) fn pulled_from_another_book(&mut self) -> Result<Outcome, StoreError> {
        if self.is_refused() {
            return Ok(Outcome::Failed(None));
        }
        self.commit(State { told_all: false, ..self.state.clone() }, Vec::new())?;
        self.stage = Stage::PushContacts;
        Ok(Outcome::Taken)
    }

    /// Sends again what the book has lost of the outbox, and pulls what it has otherwise. The push comes first, so
    /// that an edit of a contact that the book no longer knows can be sent whole: the mirror still has it.
    ///
    /// The mirror stays as far as both books are one, if this phone knows what has changed beyond: it asks for
    /// these contacts by name, and pulls on from there. Otherwise it pulls from the start.
    pub(super) fn restored(
        &mut self,
        Fork { epoch, acked_seq, rev }: Fork,
    ) -> Result<(), StoreError> {
        let mut ops = Outbox::default();
        for op in self.outbox.ops() {
            ops.insert(rebased(op, rev, &ops));
        }
        // In the middle of a pull, what was still to come may stand further back now.
        let State { is_whole, knows_gone_after, .. } = self.state;
        let goes_on = is_whole && rev > Rev(0) && knows_gone_after.is_some_and(|it| it <= rev);
        let state = match goes_on {
            true => State { pass: self.state.pass + 1, is_whole: false, ..self.state.clone() },
            false => self.state_of_next_pass(),
        };
        let state = State {
            epoch: epoch.or_else(|| self.state.epoch.clone()),
            acked_seq,
            told_all: false,
            // Of two restores that come one upon the other, the further one.
            agrees_to: Some(self.state.agrees_to.map_or(rev, |before| before.min(rev))),
            ..state
        };
        self.happened(Happened::BookRestored);
        // Later revs are given once more, to other contents.
        let links = self.links.iter().filter(|link| link.rev > Some(rev));
        let links: Vec<Link> = links.map(|link| Link { rev: None, ..link.clone() }).collect();
        let (state, mut changes) = self.with_all_calls_again(state)?;
        changes.extend(ops.ops().cloned().map(StoreChange::PutOp));
        changes.extend(links.iter().cloned().map(StoreChange::PutLink));
        self.commit(state, changes)?;
        self.links.change(links, Vec::new());
        self.outbox = ops;
        Ok(())
    }

    /// The rev of a contact as last pulled, for a new op; 0 when the mirror has none.
    pub(super) fn base_rev(&self, id: ContactId) -> Result<Rev, StoreError> {
        let Some(agrees_to) = self.state.agrees_to else {
            return Ok(self.store.rev(id)?.unwrap_or(Rev(0)));
        };
        Ok(match self.store.contact(id)? {
            Some(_) if self.outbox.makes(id) => Rev(0),
            Some(mirrored) if mirrored.pass < self.state.pass => at_most(mirrored.rev, agrees_to),
            mirrored => mirrored.map_or(Rev(0), |mirrored| mirrored.rev),
        })
    }

    /// Of a contact of the mirror what a restored book does not have of it, to be kept for the user. `now`
    /// is what that book has.
    pub(super) fn lost(
        &self,
        id: ContactId,
        now: Option<&Fields>,
        place: u64,
    ) -> Result<Option<Aside>, StoreError> {
        let Some(agrees_to) = self.state.agrees_to else { return Ok(None) };
        // What this pass has pulled already is of the restored book.
        let is_older = |it: &Mirrored| it.rev > agrees_to && it.pass < self.state.pass;
        let Some(mirrored) = self.store.contact(id)?.filter(is_older) else { return Ok(None) };
        let Some(shown) = self.contact(id)? else { return Ok(None) };
        if now.is_some_and(|now| has(now, &shown, &self.state.region)) {
            return Ok(None);
        }
        let change = Change::Create(mirrored.shown.created_at, Box::new(Edit::whole(shown)));
        Ok(Some(Aside { place, id, change, why: Why::Restored }))
    }
}

/// An op as it stands towards a book that is the one known up to `rev`, and has lost what came after. Those
/// `before` it may make its contact anew.
fn rebased(op: &Queued, rev: Rev, before: &Outbox) -> Queued {
    let base_rev = if before.makes(op.id) { Rev(0) } else { at_most(op.base_rev, rev) };
    Queued { base_rev, acked: op.acked.filter(|acked| *acked <= rev), ..op.clone() }
}

/// A base that such a book knows. Not 0, which would call the contact new: an edit of one that the book has
/// lost would make a part of it, and not be asked for whole.
fn at_most(base_rev: Rev, rev: Rev) -> Rev {
    base_rev.min(rev.max(Rev(1)))
}
