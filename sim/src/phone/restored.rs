//! What a phone knows when the book is put back from a backup, and whether it keeps it: the engine's own
//! idea of that is not used here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callbook_base::ContactId;
use callbook_calls::CallId;
use callbook_contacts::wire::Shown;
use callbook_contacts::{Entry, Fields};
use callbook_device::{Aside, State, Store};

use super::Phone;

/// What a phone had of a book that was put back, until it has pulled all of the one that is there now.
#[derive(Default)]
pub(super) struct Had {
    /// How many restores have been seen.
    restores: u64,
    /// Contacts of the mirror that the backup cannot have in this form, and that it has not pulled since.
    contacts: BTreeMap<ContactId, Arc<Shown>>,
    /// Its last pass over a book that was not the restored one.
    pass: u64,
    /// Contacts of which it is no longer to be asked: its user has changed them or answered about them.
    touched: BTreeSet<ContactId>,
    /// Ops that the book had taken after the backup.
    ops: Vec<String>,
    /// Calls of its user that were in the book.
    calls: Vec<CallId>,
    pulling: bool,
}

impl Had {
    /// How many restores it has seen.
    pub(super) fn restores_seen(&self) -> u64 {
        self.restores
    }

    /// Nothing, after so many restores.
    pub(super) fn after(restores: u64) -> Self {
        Self { restores, ..Self::default() }
    }
}

impl Phone {
    /// Before it asks for something: notes what it has, if the book was put back.
    pub(super) fn note_restore(&mut self) {
        let (restores, to) = self.shared.restores();
        if self.had.restores == restores {
            return;
        }
        let store = self.engine_ref().store();
        let State { user, pass, agrees_to, .. } = store.state().expect("a store in memory reads");
        // An answer may have told it already: what this pass has pulled since is of the restored book.
        let pass = if agrees_to.is_some() { pass - 1 } else { pass };
        let contacts = store.memory.contacts();
        let contacts = contacts.filter(|(_, it)| it.rev.0 > to && it.pass <= pass);
        let contacts = contacts.map(|(id, it)| (*id, it.shown.clone())).collect();
        let ops = store.outbox().expect("a store in memory reads").into_iter();
        let ops = ops.filter(|op| op.acked.is_some_and(|acked| acked.0 > to));
        let ops = ops.map(|op| op.op_id.to_string()).collect();
        let calls = user.map(|user| store.calls_of(user).expect("a store in memory reads"));
        let calls = calls.into_iter().flatten().map(|call| call.id);
        let calls = calls.chain(std::mem::take(&mut self.had.calls)).collect();
        self.had = Had { restores, contacts, pass, ops, calls, ..Had::default() };
        self.signed_out_with.clear();
    }

    /// Calls of its user that it has seen in a book that was put back since.
    pub(crate) fn had_calls(&self) -> &[CallId] {
        &self.had.calls
    }

    /// Before an answer is taken: notes what its user has touched, and looks at what it had and has pulled by now.
    pub(super) fn note_touched(&mut self) {
        if self.had.contacts.is_empty() && self.had.ops.is_empty() {
            return;
        }
        let store = self.engine_ref().store();
        let ops = store.outbox().expect("a store in memory reads");
        let pulling = store.state().expect("a store in memory reads").agrees_to.is_some();
        self.had.touched.extend(ops.into_iter().map(|op| op.id));
        self.had.pulling = pulling;
        if pulling {
            self.check_contacts_it_had(false);
        }
    }

    /// After an answer was taken: when that ended the first pull of the restored book, all that it had is in
    /// the book or kept for the user.
    pub(super) fn check_that_nothing_is_lost(&mut self) {
        if !self.had.pulling {
            return;
        }
        let store = self.engine_ref().store();
        if store.state().expect("a store in memory reads").agrees_to.is_some() {
            return;
        }
        self.check_contacts_it_had(true);
        for op_id in std::mem::take(&mut self.had.ops) {
            if !self.shared.has_had(&op_id) {
                let index = self.index;
                let text = format!(
                    "phone {index}: a restored book has lost its op {op_id}, and it is not sent again"
                );
                self.shared.violation(text);
            }
        }
        self.had.touched.clear();
        self.had.pulling = false;
    }

    /// Of contacts that it had and has pulled by now, or of all when the pull has ended: what they said is in the book
    /// or kept for the user. From then on others may change them.
    fn check_contacts_it_had(&mut self, has_ended: bool) {
        let engine = self.engine.as_ref().expect("it is not crashing");
        let kept = engine.aside().iter().filter(|it| it.is_lost());
        let kept: BTreeSet<ContactId> = kept.map(|it| it.id).collect();
        let now = |id| engine.store().contact(id).expect("a store in memory reads");
        let is_pulled = |id| now(id).is_some_and(|now| now.pass > self.had.pass);
        let is_ready = |id: &ContactId| has_ended || is_pulled(*id);
        for (id, had) in self.had.contacts.extract_if(.., |id, _| is_ready(id)) {
            let is_there = now(id).is_some_and(|now| has(&now.shown.fields, &had.fields));
            if !is_there && !kept.contains(&id) && !self.had.touched.contains(&id) {
                let index = self.index;
                let text = format!(
                    "phone {index} showed {id}; a restored book has lost it, and the phone too"
                );
                self.shared.violation(text);
            }
        }
    }

    /// Its user says what becomes of what a restored book has lost, if that is asked. Whether there is more
    /// to send.
    pub(super) fn answer_about_lost(&mut self) -> bool {
        if self.engine_ref().status().expect("a store in memory reads").lost == 0 {
            return false;
        }
        let lost = self.engine_ref().aside().iter().filter(|it| it.is_lost());
        let lost: Vec<ContactId> = lost.map(|it| it.id).collect();
        self.had.touched.extend(lost);
        self.shared.stats(|stats| stats.asked_about_lost += 1);
        self.answer_about(Aside::is_lost, |engine, chance| {
            engine.send_aside(Aside::is_lost, chance)
        })
    }
}

/// Whether a contact has all that another form of it had.
fn has(now: &Fields, had: &Fields) -> bool {
    let values = |entries: &[Entry]| -> BTreeSet<String> {
        entries.iter().map(|entry| entry.value.to_string()).collect()
    };
    let phones = |fields: &Fields| -> BTreeSet<String> {
        fields.phones.iter().map(|phone| phone.number.to_string()).collect()
    };
    let texts = |fields: &Fields| {
        [&fields.name, &fields.nickname, &fields.organization, &fields.title]
            .map(|text| text.as_ref().map(ToString::to_string))
    };
    let notes = |fields: &Fields| fields.note.as_ref().map(|note| note.to_string());
    let kept = |had: Option<String>, now: Option<String>| had.is_none() || had == now;
    // As most are, and that is seen sooner.
    if now == had {
        return true;
    }
    texts(had).into_iter().zip(texts(now)).all(|(had, now)| kept(had, now))
        && kept(notes(had), notes(now))
        && phones(had).is_subset(&phones(now))
        && values(&had.emails).is_subset(&values(&now.emails))
        && had.groups.iter().all(|group| now.groups.contains(group))
}
