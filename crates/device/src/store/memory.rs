//! A store in memory: for the simulator's ten thousand phones, and for tests. Cloned, it is what a
//! crash leaves.

use std::collections::BTreeMap;
use std::ops::Bound;

use callbook_base::{ContactId, Rev, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId};

use super::{Mirrored, State, Store, StoreChange, StoreError};
use crate::outbox::{Aside, Queued};

/// What a phone must not forget, in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: State,
    contacts: BTreeMap<ContactId, Mirrored>,
    outbox: BTreeMap<u64, Queued>,
    aside: BTreeMap<u64, Aside>,
    calls_to_push: BTreeMap<u64, Call>,
    calls: BTreeMap<CallId, PulledCall>,
}

impl MemoryStore {
    /// All calls that were pulled.
    pub fn calls(&self) -> impl Iterator<Item = &PulledCall> {
        self.calls.values()
    }
}

impl Store for MemoryStore {
    fn state(&self) -> Result<State, StoreError> {
        Ok(self.state.clone())
    }

    fn contact(&self, id: ContactId) -> Result<Option<Mirrored>, StoreError> {
        Ok(self.contacts.get(&id).cloned())
    }

    fn rev(&self, id: ContactId) -> Result<Option<Rev>, StoreError> {
        Ok(self.contacts.get(&id).map(|contact| contact.rev))
    }

    fn next_contact(&self, from: Bound<ContactId>) -> Result<Option<ContactId>, StoreError> {
        Ok(self.contacts.range((from, Bound::Unbounded)).next().map(|(id, _)| *id))
    }

    fn not_seen_in(&self, pass: u64) -> Result<Vec<(ContactId, Rev)>, StoreError> {
        let old = self.contacts.iter().filter(|(_, contact)| contact.pass < pass);
        Ok(old.map(|(id, contact)| (*id, contact.rev)).collect())
    }

    fn outbox(&self) -> Result<Vec<Queued>, StoreError> {
        Ok(self.outbox.values().cloned().collect())
    }

    fn aside(&self) -> Result<Vec<Aside>, StoreError> {
        Ok(self.aside.values().cloned().collect())
    }

    fn calls_to_push(&self, from: u64, limit: usize) -> Result<Vec<(u64, Call)>, StoreError> {
        Ok(self
            .calls_to_push
            .range(from..)
            .take(limit)
            .map(|(n, call)| (*n, call.clone()))
            .collect())
    }

    fn calls_of(&self, user: UserId) -> Result<Vec<PulledCall>, StoreError> {
        Ok(self.calls.values().filter(|call| call.user == user).cloned().collect())
    }

    fn commit(&mut self, changes: Vec<StoreChange>) -> Result<(), StoreError> {
        for change in changes {
            match change {
                StoreChange::State(state) => self.state = *state,
                StoreChange::PutContact(id, mut contact) => {
                    // A list read from JSON has room for four. A simulation keeps half a million.
                    contact.shown.fields.phones.shrink_to_fit();
                    self.contacts.insert(id, contact);
                }
                StoreChange::RemoveContact(id) => {
                    self.contacts.remove(&id);
                }
                StoreChange::PutOp(op) => {
                    self.outbox.insert(op.place, op);
                }
                StoreChange::RemoveOp(place) => {
                    self.outbox.remove(&place);
                }
                StoreChange::PutAside(aside) => {
                    self.aside.insert(aside.place, aside);
                }
                StoreChange::RemoveAside(place) => {
                    self.aside.remove(&place);
                }
                StoreChange::PutCallToPush(n, call) => {
                    self.calls_to_push.insert(n, call);
                }
                StoreChange::RemoveCallToPush(n) => {
                    self.calls_to_push.remove(&n);
                }
                StoreChange::PutCall(call) => {
                    self.calls.insert(call.id, call);
                }
                StoreChange::RemoveCalls => self.calls.clear(),
            }
        }
        Ok(())
    }
}
