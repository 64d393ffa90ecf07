//! A store in memory: for the simulator's ten thousand phones, and for tests (feature `test-support`). Cloned, it is
//! what a crash leaves. Contacts that many phones have pulled they share.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use callbook_base::{ContactId, Rev, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId};
use callbook_contacts::wire::Pulled;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_128;

use super::{Gone, Mirrored, State, Store, StoreChange, StoreError};
use crate::event::{Event, MOST_EVENTS};
use crate::outbox::{Aside, Queued};
use crate::provider::{Duplicate, Link, RawId};
use crate::search::{Query, found_by};

/// What a phone must not forget, in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: State,
    contacts: BTreeMap<ContactId, Mirrored>,
    /// Those that are in the mirror again are no longer meant.
    gone: BTreeMap<ContactId, Gone>,
    outbox: BTreeMap<u64, Queued>,
    aside: BTreeMap<u64, Aside>,
    calls_to_push: BTreeMap<u64, Call>,
    calls: BTreeMap<CallId, PulledCall>,
    links: BTreeMap<RawId, Link>,
    duplicates: BTreeMap<ContactId, Duplicate>,
    events: VecDeque<Event>,
}

/// How many contacts are kept before all are forgotten: more than the largest simulation has at a time.
const MOST_READ: usize = 100_000;

/// By a hash of their texts. Of 128 bits none is met twice by chance.
#[expect(clippy::disallowed_types, reason = "nobody goes through all of them")]
type Read = std::collections::HashMap<u128, Pulled>;

thread_local! {
    static READ: RefCell<Read> = RefCell::default();
}

/// A contact of an answer. Of the same text always the same becomes: it is read once, and is in memory once and not
/// once a phone.
#[derive(Debug)]
pub struct Row(Pulled);

impl From<Row> for Pulled {
    fn from(Row(pulled): Row) -> Self {
        pulled
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let hash = xxh3_128(text.as_bytes());
        READ.with_borrow_mut(|read| {
            if let Some(pulled) = read.get(&hash) {
                return Ok(Self(pulled.clone()));
            }
            let pulled: Pulled = serde_json::from_str(text).map_err(D::Error::custom)?;
            if read.len() >= MOST_READ {
                read.clear();
            }
            read.insert(hash, pulled.clone());
            Ok(Self(pulled))
        })
    }
}

impl MemoryStore {
    /// All contacts of the mirror, in the order of their ids.
    pub fn contacts(&self) -> impl Iterator<Item = (&ContactId, &Mirrored)> {
        self.contacts.iter()
    }

    /// All calls that were pulled, in the order of their ids.
    pub fn calls(&self) -> impl Iterator<Item = &PulledCall> {
        self.calls.values()
    }
}

impl Store for MemoryStore {
    type Row = Row;

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

    fn find(
        &self,
        query: &Query,
        from: Bound<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let contacts = self.contacts.range((from, Bound::Unbounded));
        let found = contacts.filter(|(_, it)| query.is_in(&found_by(&it.shown.fields)));
        Ok(found.map(|(id, _)| *id).take(limit).collect())
    }

    fn not_seen_in(&self, pass: u64) -> Result<Vec<(ContactId, Rev)>, StoreError> {
        let old = self.contacts.iter().filter(|(_, contact)| contact.pass < pass);
        Ok(old.map(|(id, contact)| (*id, contact.rev)).collect())
    }

    fn changed_after(
        &self,
        rev: Rev,
        pass: u64,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let shown = self.contacts.iter().map(|(id, it)| (id, it.rev, it.pass));
        let gone = self.gone.iter().filter(|(id, _)| !self.contacts.contains_key(id));
        let all = shown.chain(gone.map(|(id, it)| (id, it.rev, it.pass)));
        let changed = all.filter(|(_, at, seen)| *at > rev && *seen < pass);
        Ok(changed.map(|(id, ..)| *id).take(limit).collect())
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

    fn has_call(&self, id: CallId) -> Result<bool, StoreError> {
        Ok(self.calls.contains_key(&id))
    }

    fn links(&self) -> Result<Vec<Link>, StoreError> {
        Ok(self.links.values().cloned().collect())
    }

    fn duplicates(&self) -> Result<Vec<Duplicate>, StoreError> {
        Ok(self.duplicates.values().cloned().collect())
    }

    fn events(&self) -> Result<Vec<Event>, StoreError> {
        Ok(self.events.iter().cloned().collect())
    }

    fn commit(&mut self, changes: Vec<StoreChange>) -> Result<(), StoreError> {
        for change in changes {
            match change {
                StoreChange::State(state) => self.state = *state,
                StoreChange::PutContact(id, contact) => {
                    self.contacts.insert(id, contact);
                }
                StoreChange::RemoveContact(id, gone) => {
                    self.contacts.remove(&id);
                    self.gone.insert(id, gone);
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
                StoreChange::PutLink(link) => {
                    self.links.insert(link.raw, link);
                }
                StoreChange::RemoveLink(raw) => {
                    self.links.remove(&raw);
                }
                StoreChange::PutDuplicate(duplicate) => {
                    self.duplicates.insert(duplicate.id, duplicate);
                }
                StoreChange::RemoveDuplicate(id) => {
                    self.duplicates.remove(&id);
                }
                StoreChange::PutEvent(event) => {
                    self.events.push_back(event);
                    if self.events.len() > MOST_EVENTS {
                        self.events.pop_front();
                    }
                }
            }
        }
        Ok(())
    }
}
