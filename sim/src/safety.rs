//! What must be true all the time, and not only when all is quiet: asked after each change of the book and at
//! each commit of a phone. Whatever is not becomes a violation, with which the run fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callbook_base::{ContactId, Cursor, DeviceId};
use callbook_device::{Mirrored, State, StoreChange};
use callbook_worker::sqlite::Sqlite;
use serde_json::Value;

use crate::check;
use crate::network::CURRENT;
use crate::shared::{Shared, device_of};
use crate::versions::Versions;

/// More of them say no more.
const MOST_VIOLATIONS: usize = 100;

/// Which book is there, and those that were there before it was put back from a backup.
#[derive(Default)]
pub(crate) struct Epochs {
    now: String,
    past: BTreeMap<String, Versions>,
}

/// What people, and other apps on their phones, have deleted: nothing else may be deleted in the book.
#[derive(Default)]
pub(crate) struct Deleted {
    ids: BTreeSet<String>,
    /// Contacts of which only their phone knew by what id it would send them.
    nameless: u64,
}

impl Deleted {
    /// Somebody deletes a contact, perhaps before it had an id.
    fn add(&mut self, id: Option<String>) {
        match id {
            Some(id) => drop(self.ids.insert(id)),
            None => self.nameless += 1,
        }
    }

    /// Whether somebody has deleted it, by all that is known.
    fn allows(&mut self, id: &str) -> bool {
        if !self.ids.contains(id) {
            let Some(rest) = self.nameless.checked_sub(1) else { return false };
            self.nameless = rest;
            self.ids.insert(id.to_owned());
        }
        true
    }
}

impl Shared {
    /// Somebody deletes a contact on a phone, perhaps before it had an id.
    pub(crate) fn deletes(&self, id: Option<ContactId>) {
        self.inner().deleted.add(id.map(|id| id.to_string()));
    }

    /// The deletes of a push up to an op are taken.
    pub(crate) fn check_deletes(&self, push: &Value, acked: Option<u64>) {
        let ops = push["ops"].as_array().into_iter().flatten();
        let ops = ops.filter(|op| op["op"] == "delete" && op["op_seq"].as_u64() <= acked);
        for id in ops.filter_map(|op| op["id"].as_str()) {
            if !self.inner().deleted.allows(id) {
                self.violation(format!("contact {id} is deleted, and nobody has deleted it"));
            }
        }
    }

    /// Something that must never happen.
    pub(crate) fn violation(&self, text: String) {
        let violations = &mut self.inner().model.violations;
        if violations.len() < MOST_VIOLATIONS {
            violations.push(text);
        }
    }

    /// The book that is there begins, as whoever made it calls it.
    pub(crate) fn book_begins(&self, sqlite: &Sqlite) {
        let book = check::book(sqlite);
        let mut inner = self.inner();
        inner.epochs.now = book.map(|book| book.epoch).unwrap_or_default();
    }

    /// The book that is there ends: another takes its place. Phones may yet have pulled from it.
    pub(crate) fn book_ends(&self) {
        let mut inner = self.inner();
        let (epoch, versions) = (inner.epochs.now.clone(), inner.model.versions.clone());
        inner.epochs.past.insert(epoch, versions);
    }

    /// The database has taken a write.
    pub(crate) fn check_commit(&self, sqlite: &Sqlite, of_book: bool) {
        if of_book {
            self.check_book(sqlite);
        }
        let pushes = CURRENT.try_with(|sent| (sent.path == "/sync/contacts").then(|| sent.clone()));
        if let Ok(Some(sent)) = pushes
            && let Some(device) = sent.bearer.as_deref().and_then(device_of)
        {
            self.check_count(sqlite, &device);
        }
    }

    /// The book's row says what the model computes.
    fn check_book(&self, sqlite: &Sqlite) {
        let Some(book) = check::book(sqlite) else { return };
        let stored = (book.rev, book.digest, book.visible);
        let computed = {
            let model = &self.inner().model;
            (model.rev, format!("{:016x}", model.digest), model.visible)
        };
        if stored != computed {
            self.violation(format!(
                "the book says rev, digest and size {stored:?}; computed anew {computed:?}"
            ));
        }
    }

    /// The book counts a device's ops as the model does, and knows as well up to when it has told all.
    fn check_count(&self, sqlite: &Sqlite, device: &str) {
        // A re-keying step of a push may be the first write after a restore to before the device signed in.
        let stored = check::pushes(sqlite, device).unwrap_or_default();
        let computed = self.inner().model.pushes(device);
        if stored != computed {
            self.violation(format!(
                "device {device}: its count of ops and its floor are {stored:?}; computed anew {computed:?}"
            ));
        }
    }

    /// Whether the book of that epoch has ever shown what a phone is about to show.
    fn check_shown(&self, phone: usize, epoch: &str, changes: &[StoreChange]) {
        let inner = self.inner();
        let versions = match epoch == inner.epochs.now {
            true => Some(&inner.model.versions),
            false => inner.epochs.past.get(epoch),
        };
        let mut shown = changes.iter().filter_map(|change| match change {
            StoreChange::PutContact(id, mirrored) => Some((*id, mirrored)),
            _ => None,
        });
        let mut versions = versions.map(Versions::reader);
        let wrong = shown.find(|(id, it): &(ContactId, &Mirrored)| {
            versions.as_mut().is_none_or(|versions| !versions.have(*id, it.rev, &it.shown))
        });
        drop(inner);
        if let Some((id, mirrored)) = wrong {
            let rev = mirrored.rev.0;
            self.violation(format!(
                "phone {phone}: contact {id} is pulled as the book never showed it at rev {rev}"
            ));
        }
    }
}

/// Who looks at each commit of a phone's store.
#[derive(Clone)]
pub(crate) struct Eye {
    shared: Arc<Shared>,
    phone: usize,
    last: Reached,
}

impl Eye {
    /// `state` is what the store has so far.
    pub(crate) fn new(shared: Arc<Shared>, phone: usize, state: &State) -> Self {
        Self { shared, phone, last: Reached::of(state, None) }
    }

    /// Before a commit.
    pub(crate) fn see(&mut self, changes: &[StoreChange]) {
        let mut states = changes.iter().filter_map(|change| match change {
            StoreChange::State(state) => Some(&**state),
            _ => None,
        });
        let Some(state) = states.next_back() else { return };
        let reached = Reached::of(state, Some(&self.last));
        let drops_calls = changes.contains(&StoreChange::RemoveCalls);
        if let Some(what) = reached.is_behind(&self.last, drops_calls) {
            let phone = self.phone;
            self.shared.violation(format!("phone {phone}: {what} goes back"));
        }
        if let Some(device) = self.last.device.filter(|_| self.last.has_session) {
            match reached.device {
                None => self.shared.check_copy(self.phone, device),
                Some(_) if !reached.has_session => {
                    self.shared.check_end(self.phone, device, state.user);
                }
                Some(_) => {}
            }
        }
        let epoch = reached.epoch.as_deref().unwrap_or_default();
        self.shared.check_shown(self.phone, epoch, changes);
        self.last = reached;
    }
}

/// How far a phone has come.
#[derive(Clone)]
struct Reached {
    epoch: Option<String>,
    pass: u64,
    device: Option<DeviceId>,
    has_session: bool,
    acked_seq: u64,
    contacts: Stand,
    calls: Stand,
}

/// A cursor, and where it stands.
#[derive(Clone)]
struct Stand {
    cursor: Option<String>,
    at: Option<(u64, String)>,
}

impl Stand {
    /// A cursor of another book, from which a phone goes on after a restore, stands nowhere in this one.
    fn of(cursor: Option<&String>, epoch: Option<&str>, last: Option<&Self>) -> Self {
        if let Some(last) = last.filter(|last| last.cursor.as_ref() == cursor) {
            return last.clone();
        }
        let read = cursor.and_then(|cursor| cursor.parse::<Cursor>().ok());
        let read = read.filter(|cursor| epoch.is_some_and(|epoch| cursor.epoch.as_str() == epoch));
        // At the end of a rev, after all ids.
        let last = |last: String| if last.is_empty() { "~".to_owned() } else { last };
        Self { cursor: cursor.cloned(), at: read.map(|it| (it.rev.0, last(it.last))) }
    }
}

impl Reached {
    fn of(state: &State, last: Option<&Self>) -> Self {
        let last = last.filter(|last| last.epoch == state.epoch);
        let epoch = state.epoch.as_deref();
        Self {
            epoch: state.epoch.clone(),
            pass: state.pass,
            device: state.device,
            has_session: state.session.is_some(),
            acked_seq: state.acked_seq,
            contacts: Stand::of(state.cursor.as_ref(), epoch, last.map(|last| &last.contacts)),
            calls: Stand::of(state.calls_cursor.as_ref(), epoch, last.map(|last| &last.calls)),
        }
    }

    /// What is behind where it was, in the same book.
    fn is_behind(&self, before: &Self, drops_calls: bool) -> Option<&'static str> {
        if self.epoch != before.epoch {
            return None;
        }
        let contacts = self.pass == before.pass && self.contacts.at < before.contacts.at;
        let calls = !drops_calls && self.calls.at < before.calls.at;
        let acked = self.device == before.device && self.acked_seq < before.acked_seq;
        [(contacts, "its cursor"), (calls, "its cursor of calls"), (acked, "its count of ops")]
            .into_iter()
            .find_map(|(is, what)| is.then_some(what))
    }
}
