//! What the ops of a push do to the draft, one after another.

use std::collections::BTreeSet;
use std::sync::Arc;

use callbook_base::{ContactId, Line, Rev, Timestamp};

use super::draft::{Content, Draft, Drafted};
use super::{Contact, Facts, LastEdit, State};
use crate::clock::Clocks;
use crate::edit::Edit;
use crate::fields::Fields;
use crate::op::{Change, Op, PushedOp, Rejection, RejectionCode};
use crate::wire::Lost;

/// A plan stops before the next op when it has edited contacts of about so many bytes: the memory of a
/// Worker, and what one batch may bind, have limits.
const MOST_WRITTEN: usize = 1_000_000;

/// What an op came to.
pub(super) enum Outcome {
    /// Taken in an earlier push.
    Replayed,
    /// A put that changes nothing.
    Unchanged,
    /// Done; the contact's state tells what.
    Done,
    /// A delete that an edit beat.
    Kept,
    /// Refused.
    Rejected(Rejection),
}

/// The ops of a push at work.
pub(super) struct Book<'a> {
    facts: &'a Facts,
    clocks: Clocks,
    region: &'a Line,
    pub(super) draft: Draft<'a>,
    /// About the bytes of the contacts edited so far.
    written: usize,
}

impl<'a> Book<'a> {
    pub(super) fn new(facts: &'a Facts, clocks: Clocks, region: &'a Line) -> Self {
        Self { facts, clocks, region, draft: Draft::new(&facts.held), written: 0 }
    }

    /// Whether memory and D1's limits leave room for one more op; the first always has room.
    pub(super) fn has_room(&self, op: &PushedOp) -> bool {
        let named = op.target.and_then(|target| self.draft.contacts.get(&target.id));
        self.written <= MOST_WRITTEN && named.is_none_or(|named| named.fields.is_some())
    }

    pub(super) fn fields(&self, id: ContactId) -> Option<&Fields> {
        self.draft.contacts.get(&id)?.fields.as_deref()
    }

    /// The keys of a live contact that others own.
    pub(super) fn lost(&self, id: ContactId) -> Vec<Lost> {
        let live = self.draft.contact(id).filter(|contact| contact.state.is_live());
        let keys = live.into_iter().flat_map(|contact| &contact.keys);
        let lost = keys.filter_map(|key| {
            let owner = self.draft.claims.owner(key)?.contact;
            (owner != id && !self.draft.is_shared(key)).then_some(Lost { key: *key, owner })
        });
        lost.collect()
    }

    pub(super) fn act(&mut self, op: &Op) -> Outcome {
        // Of a contact that is not there, that is what is told: the device then sends it whole.
        if self.draft.contact(op.id).is_some() && op.base_rev > self.facts.held.rev {
            let detail = "the base_rev is above the book's rev";
            return Outcome::Rejected(RejectionCode::BaseRevAhead.because(detail));
        }
        match &op.change {
            Change::Put { created_at, edit } => self.put(op, *created_at, edit),
            Change::Delete => self.delete(op),
        }
    }

    fn put(&mut self, op: &Op, created_at: Option<Timestamp>, edit: &Edit) -> Outcome {
        let there = self.draft.contacts.get(&op.id);
        if there.is_none() && op.base_rev > Rev(0) {
            let detail = "the book does not know this contact: send it whole, with base_rev 0";
            return Outcome::Rejected(RejectionCode::UnknownContact.because(detail));
        }
        let nothing = Fields::default();
        let before = there.and_then(|there| there.fields.as_deref()).unwrap_or(&nothing);
        let key = |number: &Line, region: &Line| {
            (self.facts.tables.key)(number.as_str(), region.as_str())
        };
        let after = match edit.apply(before, self.region, key) {
            Ok(after) => after,
            Err(too_large) => return Outcome::Rejected(too_large.into()),
        };
        if there.is_some_and(|there| there.contact.state.is_live() && after == *before) {
            self.draft.drafted(op.id).put = true;
            return Outcome::Unchanged;
        }

        self.written += after.weight();
        self.revive(op.id);
        self.draft.unclaim(op.id);
        let edit = LastEdit {
            rev: self.facts.held.rev.next(),
            at: self.clocks.now,
            user: self.facts.user,
            device: self.facts.id,
        };
        let created_at = self.clocks.created_at(self.facts.device.floor, created_at);
        let drafted = self.draft.contacts.entry(op.id).or_insert_with(|| Drafted {
            contact: Contact {
                created_at,
                rev: Rev(0),
                state: State::Visible,
                keys: Vec::new(),
                asleep: Vec::new(),
                edit,
            },
            fields: None,
            content: Content::AsRead,
            put: false,
        });
        drafted.contact.keys = after.keys();
        drafted.contact.edit = edit;
        drafted.fields = Some(Arc::new(after));
        (drafted.content, drafted.put) = (Content::Edited, true);
        self.draft.claim(op.id);
        Outcome::Done
    }

    fn delete(&mut self, op: &Op) -> Outcome {
        if !self.draft.contact(op.id).is_some_and(|contact| contact.state.is_live()) {
            return Outcome::Done;
        }
        if self.facts.keeps(op) {
            return Outcome::Kept;
        }
        let freed = self.draft.owned(op.id);
        let shown: BTreeSet<ContactId> = freed
            .iter()
            .flat_map(|key| self.draft.claims.claimants(key))
            .map(|claim| claim.contact)
            .filter(|contact| self.draft.shows_one(*contact))
            .collect();
        self.bury(op.id, None);
        let mut took = Vec::new();
        for key in freed {
            let heirs: Vec<ContactId> =
                self.draft.claims.claimants(&key).map(|claim| claim.contact).collect();
            for heir in heirs {
                if shown.contains(&heir) || self.is_kept_by_its_phone(heir) {
                    break;
                }
                self.bury(heir, Some(op.id));
                took.push(heir);
            }
        }
        let at = self.clocks.now;
        self.draft.drafted(op.id).contact.state = State::Deleted { at, retired_by: None, took };
        Outcome::Done
    }

    /// Whether a hidden contact inherits from one that this device deletes: a phone "replaces" a
    /// contact by a put and a delete.
    fn is_kept_by_its_phone(&self, id: ContactId) -> bool {
        let drafted = self.draft.contacts.get(&id);
        drafted.is_some_and(|it| it.put || self.facts.lineage.contains_key(&it.contact.edit.device))
    }

    /// Makes a tombstone.
    fn bury(&mut self, id: ContactId, retired_by: Option<ContactId>) {
        self.draft.unclaim(id);
        let state = State::Deleted { at: self.clocks.now, retired_by, took: Vec::new() };
        self.draft.drafted(id).contact.state = state;
    }

    /// Makes a tombstone live again, and with it those that its delete took and that are still as
    /// that delete left them. A live contact, or one that is not there, stays as it is.
    fn revive(&mut self, id: ContactId) {
        let Some(State::Deleted { took, .. }) = self.draft.contact(id).map(|it| it.state.clone())
        else {
            return;
        };
        let taken = |other: &ContactId| {
            let state = self.draft.contact(*other).map(|it| &it.state);
            matches!(state, Some(State::Deleted { retired_by: Some(by), .. }) if *by == id)
        };
        let taken: Vec<ContactId> = took.into_iter().filter(taken).collect();
        for back in taken.into_iter().chain([id]) {
            self.draft.drafted(back).contact.state = State::Visible;
            self.draft.claim(back);
        }
    }
}
