//! A phone's store, in memory, that can lose power before any of its commits.

use std::ops::Bound;

use callbook_base::{ContactId, Rev, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId};
use callbook_device::provider::{Duplicate, Link};
use callbook_device::{
    Aside, Event, MemoryStore, Mirrored, Query, Queued, State, Store, StoreChange, StoreError,
};

use crate::safety::Eye;

/// What a phone keeps.
#[derive(Clone, Default)]
pub(crate) struct PhoneStore {
    pub(crate) memory: MemoryStore,
    /// After so many commits more no other succeeds.
    pub(crate) power_for: Option<u32>,
    /// Whoever looks at its commits.
    pub(crate) eye: Option<Eye>,
}

impl Store for PhoneStore {
    type Row = <MemoryStore as Store>::Row;

    fn state(&self) -> Result<State, StoreError> {
        self.memory.state()
    }

    fn contact(&self, id: ContactId) -> Result<Option<Mirrored>, StoreError> {
        self.memory.contact(id)
    }

    fn rev(&self, id: ContactId) -> Result<Option<Rev>, StoreError> {
        self.memory.rev(id)
    }

    fn next_contact(&self, from: Bound<ContactId>) -> Result<Option<ContactId>, StoreError> {
        self.memory.next_contact(from)
    }

    fn find(
        &self,
        query: &Query,
        from: Bound<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.memory.find(query, from, limit)
    }

    fn not_seen_in(&self, pass: u64) -> Result<Vec<(ContactId, Rev)>, StoreError> {
        self.memory.not_seen_in(pass)
    }

    fn changed_after(
        &self,
        rev: Rev,
        pass: u64,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.memory.changed_after(rev, pass, limit)
    }

    fn outbox(&self) -> Result<Vec<Queued>, StoreError> {
        self.memory.outbox()
    }

    fn aside(&self) -> Result<Vec<Aside>, StoreError> {
        self.memory.aside()
    }

    fn calls_to_push(&self, from: u64, limit: usize) -> Result<Vec<(u64, Call)>, StoreError> {
        self.memory.calls_to_push(from, limit)
    }

    fn calls_of(&self, user: UserId) -> Result<Vec<PulledCall>, StoreError> {
        self.memory.calls_of(user)
    }

    fn has_call(&self, id: CallId) -> Result<bool, StoreError> {
        self.memory.has_call(id)
    }

    fn links(&self) -> Result<Vec<Link>, StoreError> {
        self.memory.links()
    }

    fn duplicates(&self) -> Result<Vec<Duplicate>, StoreError> {
        self.memory.duplicates()
    }

    fn events(&self) -> Result<Vec<Event>, StoreError> {
        self.memory.events()
    }

    fn commit(&mut self, changes: Vec<StoreChange>) -> Result<(), StoreError> {
        match &mut self.power_for {
            Some(0) => return Err(StoreError::Failed("the power is lost".to_owned())),
            Some(commits) => *commits -= 1,
            None => {}
        }
        self.eye.iter_mut().for_each(|eye| eye.see(&changes));
        self.memory.commit(changes)
    }
}
