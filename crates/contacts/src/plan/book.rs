//! The working copy on which the ops of a push act, one after another.

use std::collections::{BTreeMap, BTreeSet};

use callbook_base::{ContactId, Line, Rev, Timestamp};
use callbook_dedup::{Claim, NumberKey, OldestWins, number_key};

use super::{Contact, Device, Facts, LastEdit, Plan, State};
use crate::clock::Clocks;
use crate::edit::Edit;
use crate::fields::Fields;
use crate::op::{Change, Op, PushedOp, Rejection, RejectionCode};
use crate::wire::{Lost, OpResult};

/// A plan stops before the next op when it has edited contacts of so many bytes: the memory of a
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

/// What was read, and what has become of it so far.
pub(super) struct Book<'a> {
    facts: &'a Facts,
    clocks: Clocks,
    region: &'a Line,
    contacts: BTreeMap<ContactId, Working>,
    claims: OldestWins,
    /// Bytes of the contacts edited so far.
    written: usize,
}

/// A contact that is being worked on. Until the end, a live one's state says only that it lives:
/// the claims tell who sees it.
struct Working {
    contact: Contact,
    fields: Option<Fields>,
    /// Whether its content has changed.
    edited: bool,
    /// Whether an op has put it, even one that changed nothing.
    put: bool,
}

impl<'a> Book<'a> {
    pub(super) fn new(facts: &'a Facts, clocks: Clocks, region: &'a Line) -> Self {
        let contacts = facts.contacts.iter().map(|(id, contact)| {
            let fields = facts.fields.get(id).cloned();
            (*id, Working { contact: contact.clone(), fields, edited: false, put: false })
        });
        let mut claims = OldestWins::default();
        for (key, claim) in &facts.claims {
            claims.claim(*key, *claim);
        }
        Self { facts, clocks, region, contacts: contacts.collect(), claims, written: 0 }
    }

    /// Whether memory and D1's limits leave room for one more op; the first always has room.
    pub(super) fn has_room(&self, op: &PushedOp) -> bool {
        let named = op.target.and_then(|target| self.contacts.get(&target.id));
        self.written <= MOST_WRITTEN && named.is_none_or(|named| named.fields.is_some())
    }

    pub(super) fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.get(&id).map(|working| &working.contact)
    }

    pub(super) fn fields(&self, id: ContactId) -> Option<&Fields> {
        self.contacts.get(&id)?.fields.as_ref()
    }

    /// The keys of a live contact that others own.
    pub(super) fn lost(&self, id: ContactId) -> Vec<Lost> {
        let live = self.contact(id).filter(|contact| contact.state.is_live());
        let keys = live.into_iter().flat_map(|contact| &contact.keys);
        let lost = keys.filter_map(|key| {
            let owner = self.claims.owner(key)?.contact;
            (owner != id).then_some(Lost { key: *key, owner })
        });
        lost.collect()
    }

    pub(super) fn act(&mut self, op: &Op) -> Outcome {
        if op.base_rev > self.facts.rev {
            let detail = "the base_rev is above the book's rev";
            return Outcome::Rejected(RejectionCode::BaseRevAhead.because(detail));
        }
        match &op.change {
            Change::Put { created_at, edit } => self.put(op, *created_at, edit),
            Change::Delete => self.delete(op),
        }
    }

    fn put(&mut self, op: &Op, created_at: Option<Timestamp>, edit: &Edit) -> Outcome {
        let there = self.contacts.get(&op.id);
        if there.is_none() && op.base_rev > Rev(0) {
            let detail = "the book does not know this contact: send it whole, with base_rev 0";
            return Outcome::Rejected(RejectionCode::UnknownContact.because(detail));
        }
        let nothing = Fields::default();
        let before = there.and_then(|there| there.fields.as_ref()).unwrap_or(&nothing);
        let key = |number: &Line, region: &Line| number_key(number.as_str(), region.as_str());
        let after = match edit.apply(before, self.region, key) {
            Ok(after) => after,
            Err(too_large) => return Outcome::Rejected(too_large.into()),
        };
        if there.is_some_and(|there| there.contact.state.is_live() && after == *before) {
            self.working(op.id).put = true;
            return Outcome::Unchanged;
        }

        self.written += after.size();
        self.revive(op.id);
        self.unclaim(op.id);
        let edit = LastEdit {
            rev: self.facts.rev.next(),
            at: self.clocks.now,
            user: self.facts.user,
            device: self.facts.id,
        };
        let created_at = self.clocks.created_at(self.facts.device.floor, created_at);
        let working = self.contacts.entry(op.id).or_insert_with(|| Working {
            contact: Contact {
                created_at,
                rev: Rev(0),
                state: State::Visible,
                keys: Vec::new(),
                asleep: Vec::new(),
                edit,
            },
            fields: None,
            edited: false,
            put: false,
        });
        working.contact.keys = after.keys();
        working.contact.edit = edit;
        working.fields = Some(after);
        (working.edited, working.put) = (true, true);
        self.claim(op.id);
        Outcome::Done
    }

    fn delete(&mut self, op: &Op) -> Outcome {
        if !self.contact(op.id).is_some_and(|contact| contact.state.is_live()) {
            return Outcome::Done;
        }
        if self.facts.edited_by_others.get(&op.id).is_some_and(|edit| *edit > op.base_rev) {
            return Outcome::Kept;
        }
        let freed = self.owned(op.id);
        let shown: BTreeSet<ContactId> = freed
            .iter()
            .flat_map(|key| self.claims.claimants(key))
            .map(|claim| claim.contact)
            .filter(|contact| !self.owned(*contact).is_empty())
            .collect();
        self.bury(op.id, None);
        let mut took = Vec::new();
        for key in freed {
            let heirs: Vec<ContactId> =
                self.claims.claimants(&key).map(|claim| claim.contact).collect();
            for heir in heirs {
                if shown.contains(&heir) || self.is_kept_by_its_phone(heir) {
                    break;
                }
                self.bury(heir, Some(op.id));
                took.push(heir);
            }
        }
        let at = self.clocks.now;
        self.working(op.id).contact.state = State::Deleted { at, retired_by: None, took };
        Outcome::Done
    }

    /// Whether a hidden contact inherits from one that this device deletes: a phone "replaces" a
    /// contact by a put and a delete.
    fn is_kept_by_its_phone(&self, id: ContactId) -> bool {
        let working = self.contacts.get(&id);
        working.is_some_and(|it| it.put || self.facts.lineage.contains(&it.contact.edit.device))
    }

    /// Makes a tombstone.
    fn bury(&mut self, id: ContactId, retired_by: Option<ContactId>) {
        self.unclaim(id);
        let state = State::Deleted { at: self.clocks.now, retired_by, took: Vec::new() };
        self.working(id).contact.state = state;
    }

    /// Makes a tombstone live again, and with it those that its delete took and that are still as
    /// that delete left them. A live contact, or one that is not there, stays as it is.
    fn revive(&mut self, id: ContactId) {
        let Some(State::Deleted { took, .. }) = self.contact(id).map(|it| it.state.clone()) else {
            return;
        };
        let taken = |other: &ContactId| {
            let state = self.contact(*other).map(|it| &it.state);
            matches!(state, Some(State::Deleted { retired_by: Some(by), .. }) if *by == id)
        };
        let taken: Vec<ContactId> = took.into_iter().filter(taken).collect();
        for back in taken.into_iter().chain([id]) {
            self.working(back).contact.state = State::Visible;
            self.claim(back);
        }
    }

    /// The keys that a contact owns.
    fn owned(&self, id: ContactId) -> Vec<NumberKey> {
        let keys = self.contact(id).into_iter().flat_map(|contact| &contact.keys);
        let owns = |key: &&NumberKey| self.claims.owner(key).is_some_and(|own| own.contact == id);
        keys.filter(owns).cloned().collect()
    }

    fn claim(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get(&id).map(|it| &it.contact) {
            for key in &contact.keys {
                self.claims.claim(*key, contact.claim(id));
            }
        }
    }

    fn unclaim(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get(&id).map(|it| &it.contact) {
            for key in &contact.keys {
                self.claims.unclaim(key, &contact.claim(id));
            }
        }
    }

    fn working(&mut self, id: ContactId) -> &mut Working {
        self.contacts.get_mut(&id).expect("whoever claims a key that is touched has been read")
    }

    /// Stamps what differs from what was read. `results` sees the book as it then is.
    pub(super) fn finish(
        mut self,
        device: Device,
        results: impl FnOnce(&Self) -> Vec<OpResult>,
    ) -> Plan {
        let facts = self.facts;
        let mut plan = Plan {
            rev: facts.rev,
            digest: facts.digest,
            clock: facts.clock,
            device,
            edited: Vec::new(),
            stamped: Vec::new(),
            unclaimed: Vec::new(),
            claimed: Vec::new(),
            results: Vec::new(),
        };
        for (&id, Working { contact, fields, edited, .. }) in &mut self.contacts {
            let before = facts.contacts.get(&id);
            settle(id, contact, &self.claims, before);
            let same = |before: &Contact| {
                (&before.state, &before.asleep) == (&contact.state, &contact.asleep)
            };
            if !*edited && before.is_some_and(same) {
                continue;
            }
            plan.rev = facts.rev.next();
            plan.clock = self.clocks.now;
            contact.rev = plan.rev;
            if let Some(before) = before.filter(|before| before.state == State::Visible) {
                plan.digest = plan.digest.without(id, before.rev);
            }
            if contact.state == State::Visible {
                plan.digest = plan.digest.with(id, contact.rev);
            }
            let (ended, begun) = (before.map_or(&[][..], Contact::claimed), contact.claimed());
            let claim = |key: &NumberKey| (*key, contact.claim(id));
            plan.unclaimed.extend(ended.iter().filter(|key| !begun.contains(key)).map(claim));
            plan.claimed.extend(begun.iter().filter(|key| !ended.contains(key)).map(claim));
            match fields {
                Some(fields) if *edited => plan.edited.push((id, contact.clone(), fields.clone())),
                _ => plan.stamped.push((id, contact.clone())),
            }
        }
        plan.results = results(&self);
        plan
    }
}

impl Contact {
    fn claim(&self, contact: ContactId) -> Claim {
        Claim { created_at: self.created_at, contact }
    }

    /// The keys that it claims: a tombstone claims none.
    fn claimed(&self) -> &[NumberKey] {
        if self.state.is_live() { &self.keys } else { &[] }
    }
}

/// Who sees a contact, now that all claims are known.
fn settle(id: ContactId, contact: &mut Contact, claims: &OldestWins, before: Option<&Contact>) {
    contact.asleep.clear();
    if !contact.state.is_live() {
        return;
    }
    let owner = |key: &NumberKey| claims.owner(key).expect("the contact itself claims it");
    let owners: Vec<(NumberKey, Claim)> =
        contact.keys.iter().map(|key| (*key, owner(key))).collect();
    let foreign = |(key, owner): &(NumberKey, Claim)| (owner.contact != id).then_some(*key);
    let asleep: Vec<NumberKey> = owners.iter().filter_map(foreign).collect();
    let oldest = owners.iter().map(|(_, owner)| *owner).min();
    contact.state = match (oldest, before.map(|before| &before.state)) {
        (Some(_), Some(hidden @ State::Hidden { .. })) if asleep.len() == owners.len() => {
            hidden.clone()
        }
        (Some(oldest), _) if asleep.len() == owners.len() => {
            State::Hidden { owner: oldest.contact }
        }
        _ => State::Visible,
    };
    contact.asleep = asleep;
}
