//! The working copy of what was read: contacts and claims change on it, and at the end all that
//! differs from what was read is stamped with one rev. Why something changes must never live here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callbook_base::{ContactId, Timestamp};
use callbook_dedup::{Claim, NumberKey, OldestWins};

use super::{Changes, Contact, Held, State};
use crate::fields::Fields;

/// What was read, and what has become of it so far.
pub(super) struct Draft<'a> {
    held: &'a Held,
    pub(super) contacts: BTreeMap<ContactId, Drafted>,
    pub(super) claims: OldestWins,
}

/// A contact that is being worked on. Until the end, a live one's state says only that it lives:
/// the claims tell who sees it.
pub(super) struct Drafted {
    pub(super) contact: Contact,
    /// Shared with the changes: a copy of all fields would cost as much as reading them.
    pub(super) fields: Option<Arc<Fields>>,
    pub(super) content: Content,
    /// Whether an op has put it, even one that changed nothing.
    pub(super) put: bool,
}

/// What has become of a contact's fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    AsRead,
    /// Somebody changed it.
    Edited,
    /// Only the keys of its numbers are others.
    Rekeyed,
}

impl<'a> Draft<'a> {
    pub(super) fn new(held: &'a Held) -> Self {
        let contacts = held.contacts.iter().map(|(id, contact)| {
            let fields = held.fields.get(id).cloned().map(Arc::new);
            let (contact, content) = (contact.clone(), Content::AsRead);
            (*id, Drafted { contact, fields, content, put: false })
        });
        let mut claims = OldestWins::default();
        for (key, claim) in &held.claims {
            claims.claim(*key, *claim);
        }
        Self { held, contacts: contacts.collect(), claims }
    }

    pub(super) fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.get(&id).map(|drafted| &drafted.contact)
    }

    pub(super) fn drafted(&mut self, id: ContactId) -> &mut Drafted {
        self.contacts.get_mut(&id).expect("whoever claims a key that is touched has been read")
    }

    /// The keys that a contact owns, and shares with nobody.
    pub(super) fn owned(&self, id: ContactId) -> Vec<NumberKey> {
        let keys = self.contact(id).into_iter().flat_map(|contact| &contact.keys);
        let owns = |key: &&NumberKey| !self.is_shared(key) && self.owns(id, key);
        keys.filter(owns).copied().collect()
    }

    /// Whether a contact shows one of its keys.
    pub(super) fn shows_one(&self, id: ContactId) -> bool {
        let mut keys = self.contact(id).into_iter().flat_map(|contact| &contact.keys);
        keys.any(|key| self.is_shared(key) || self.owns(id, key))
    }

    pub(super) fn is_shared(&self, key: &NumberKey) -> bool {
        self.held.shared.contains(key)
    }

    fn owns(&self, id: ContactId, key: &NumberKey) -> bool {
        self.claims.owner(key).is_some_and(|owner| owner.contact == id)
    }

    pub(super) fn claim(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get(&id).map(|it| &it.contact) {
            for key in &contact.keys {
                self.claims.claim(*key, contact.claim(id));
            }
        }
    }

    pub(super) fn unclaim(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get(&id).map(|it| &it.contact) {
            for key in &contact.keys {
                self.claims.unclaim(key, &contact.claim(id));
            }
        }
    }

    /// Stamps what differs from what was read. The draft is then the book as it is to be.
    pub(super) fn changes(&mut self, now: Timestamp) -> Changes {
        let held = self.held;
        let mut changes = Changes::none(held);
        for (&id, Drafted { contact, fields, content, .. }) in &mut self.contacts {
            let before = held.contacts.get(&id);
            settle(id, contact, &self.claims, &held.shared, before);
            let same = |before: &Contact| {
                (&before.state, &before.asleep) == (&contact.state, &contact.asleep)
            };
            if *content == Content::AsRead && before.is_some_and(same) {
                continue;
            }
            changes.rev = held.rev.next();
            changes.clock = now;
            contact.rev = changes.rev;
            if let Some(before) = before.filter(|before| before.state == State::Visible) {
                changes.digest = changes.digest.without(id, before.rev);
                changes.visible -= 1;
            }
            if contact.state == State::Visible {
                changes.digest = changes.digest.with(id, contact.rev);
                changes.visible += 1;
            }
            let (ended, begun) = (before.map_or(&[][..], Contact::claimed), contact.claimed());
            let claim = |key: &NumberKey| (*key, contact.claim(id));
            changes.unclaimed.extend(ended.iter().filter(|key| !begun.contains(key)).map(claim));
            changes.claimed.extend(begun.iter().filter(|key| !ended.contains(key)).map(claim));
            match (content, fields) {
                (Content::Edited, Some(fields)) => {
                    changes.edited.push((id, contact.clone(), fields.clone()));
                    changes.superseded.extend(before.map(|_| id));
                }
                (Content::Rekeyed, Some(fields)) => {
                    changes.rekeyed.push((id, contact.clone(), fields.clone()));
                }
                _ => changes.stamped.push((id, contact.clone())),
            }
        }
        changes.unclaimed.sort_unstable();
        changes.claimed.sort_unstable();
        changes
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
fn settle(
    id: ContactId,
    contact: &mut Contact,
    claims: &OldestWins,
    shared: &BTreeSet<NumberKey>,
    before: Option<&Contact>,
) {
    contact.asleep.clear();
    if !contact.state.is_live() {
        return;
    }
    let owner = |key: &NumberKey| claims.owner(key).expect("the contact itself claims it");
    let owners: Vec<(NumberKey, Claim)> =
        contact.keys.iter().map(|key| (*key, owner(key))).collect();
    let foreign = |(key, owner): &(NumberKey, Claim)| {
        (owner.contact != id && !shared.contains(key)).then_some(*key)
    };
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
