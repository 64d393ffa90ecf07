//! What the phone's user does and sees. Sending it must never live here.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use callbook_calls::Call;
use callbook_contacts::{Edit, Fields, NewPhone, OpId};
use callbook_dedup::{Claim, number_key, oldest_wins};
use rand::Rng;

use super::Engine;
use crate::outbox::{Aside, Change, Queued};
use crate::provider::Link;
use crate::search::{Query, found_by};
use crate::store::{State, Store, StoreChange, StoreError};

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Of the contacts, in their order.
    pub ids: Vec<ContactId>,
    /// Contacts that own none of their numbers, each with the oldest of those that own one of them.
    pub duplicates: Vec<(ContactId, ContactId)>,
}

impl Imported {
    fn new(ids: Vec<ContactId>, contacts: &[(Edit, Timestamp)], region: &Line) -> Self {
        let mut rows = Vec::new();
        // Where each contact's rows end.
        let mut ends = Vec::with_capacity(ids.len());
        for (id, (edit, saved_at)) in ids.iter().zip(contacts) {
            let claim = Claim { created_at: *saved_at, contact: *id };
            let key = |phone: &NewPhone| {
                let region = phone.region.as_ref().unwrap_or(region);
                number_key(phone.number.as_str(), region.as_str())
            };
            rows.extend(edit.add.phones.iter().filter_map(key).map(|key| (key, claim)));
            ends.push(rows.len());
        }
        let owners = oldest_wins(&rows, 1);
        let mut start = 0;
        let duplicate = |(id, end): (&ContactId, &usize)| {
            let mine = std::mem::replace(&mut start, *end)..*end;
            let oldest = mine.map(|row| rows[owners.owner(row)].1);
            let owners: Vec<Claim> = oldest.collect();
            let oldest = owners.iter().min()?;
            owners.iter().all(|owner| owner.contact != *id).then_some((*id, oldest.contact))
        };
        let duplicates = ids.iter().zip(&ends).filter_map(duplicate).collect();
        Self { ids, duplicates }
    }
}

pub(super) fn new_id(now: Timestamp, chance: &mut impl Rng) -> ContactId {
    let mut bytes = [0; 10];
    chance.fill_bytes(&mut bytes);
    ContactId::new(now, bytes)
}

impl<S: Store> Engine<S> {
    /// Where numbers without a region of their own are written from now on: ISO 3166, from the SIM. Those
    /// that were typed before keep the region before.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn set_region(&mut self, region: Line) -> Result<(), StoreError> {
        if region == self.state.region {
            return Ok(());
        }
        let before = &self.state.region;
        // Also those that it has taken: a restored book loses them, and they are sent again.
        let ops: Vec<Queued> = self.outbox.ops().filter_map(|op| op.written_in(before)).collect();
        let aside = |it: &Aside| it.written_in(before).unwrap_or_else(|| it.clone());
        let aside: Vec<Aside> = self.aside.iter().map(aside).collect();
        let links = self.links.iter().filter_map(|link| link.written_in(before));
        let links: Vec<Link> = links.collect();
        let mut changes: Vec<_> = ops.iter().cloned().map(StoreChange::PutOp).collect();
        changes.extend(aside.iter().cloned().map(StoreChange::PutAside));
        changes.extend(links.iter().cloned().map(StoreChange::PutLink));
        self.commit(State { region, ..self.state.clone() }, changes)?;
        self.aside = aside;
        self.links.change(links, Vec::new());
        for op in ops {
            self.outbox.remove(op.place);
            self.outbox.insert(op);
        }
        Ok(())
    }

    /// Makes a contact, and gives its id.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn create(
        &mut self,
        edit: Edit,
        now: Timestamp,
        chance: &mut impl Rng,
    ) -> Result<ContactId, StoreError> {
        let id = new_id(now, chance);
        self.queue(vec![(id, Change::Create(now, Box::new(edit)))], chance)?;
        Ok(id)
    }

    /// Takes what the phone has when it first joins: contacts, each with the time at which it was
    /// saved, as far as that is known. All are noted or none. Their ids come back in their order, and
    /// which of them are duplicates of others of them: what the book will show of these once, as the
    /// oldest.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn import(
        &mut self,
        contacts: Vec<(Edit, Timestamp)>,
        chance: &mut impl Rng,
    ) -> Result<Imported, StoreError> {
        let ids = contacts.iter().map(|(_, saved_at)| new_id(*saved_at, chance)).collect();
        let imported = Imported::new(ids, &contacts, &self.state.region);
        let changes = imported.ids.iter().zip(contacts);
        let changes = changes
            .map(|(id, (edit, saved_at))| (*id, Change::Create(saved_at, Box::new(edit))))
            .collect();
        self.queue(changes, chance)?;
        Ok(imported)
    }

    /// Edits a contact.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn edit(
        &mut self,
        id: ContactId,
        edit: Edit,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        self.queue(vec![(id, Change::Edit(Box::new(edit)))], chance)
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn delete(&mut self, id: ContactId, chance: &mut impl Rng) -> Result<(), StoreError> {
        self.queue(vec![(id, Change::Delete)], chance)
    }

    /// Notes a call of the phone's log. One that was noted before is sent again and stored once.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn record_call(&mut self, call: Call) -> Result<(), StoreError> {
        let number = self.state.next_call;
        let state = State { next_call: number + 1, ..self.state.clone() };
        self.commit(state, vec![StoreChange::PutCallToPush(number, call)])?;
        self.stir();
        Ok(())
    }

    /// Changes that the book does not have, in the order of their places: refused ones, deletes that are
    /// many and wait for a yes, and what a restored book has lost. Contacts whose deletes wait stay shown.
    pub fn aside(&self) -> &[Aside] {
        &self.aside
    }

    /// The user wants these changes of [`Engine::aside`]: they are sent again, as new ops.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn send_aside(
        &mut self,
        which: impl Fn(&Aside) -> bool,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        self.send_aside_with(self.state.clone(), which, chance)
    }

    /// The user does not want these changes of [`Engine::aside`].
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn drop_aside(&mut self, which: impl Fn(&Aside) -> bool) -> Result<(), StoreError> {
        let (state, gone) = (self.state.clone(), self.forget_aside(&which));
        self.commit(state, gone)?;
        self.aside.retain(|aside| !which(aside));
        Ok(())
    }

    /// The user means the deletes that wait for an answer. To say no, drop them.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn confirm_deletes(&mut self, chance: &mut impl Rng) -> Result<(), StoreError> {
        let deletes = self.aside.iter().filter(|aside| aside.is_unconfirmed_delete()).count();
        let confirmed_to = self.state.next_place + deletes as u64;
        let state = State { confirmed_to, counted_to: confirmed_to, ..self.state.clone() };
        self.send_aside_with(state, Aside::is_unconfirmed_delete, chance)
    }

    fn send_aside_with(
        &mut self,
        state: State,
        which: impl Fn(&Aside) -> bool,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let again = self.aside.iter().filter(|aside| which(aside));
        let again = again.map(|aside| (aside.id, aside.change.clone(), None)).collect();
        self.queue_with(state, again, self.forget_aside(&which), chance)?;
        self.aside.retain(|aside| !which(aside));
        Ok(())
    }

    fn forget_aside(&self, which: &impl Fn(&Aside) -> bool) -> Vec<StoreChange> {
        let gone = self.aside.iter().filter(|aside| which(aside));
        gone.map(|aside| StoreChange::RemoveAside(aside.place)).collect()
    }

    /// Notes changes, in their order: all or none.
    fn queue(
        &mut self,
        changes: Vec<(ContactId, Change)>,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let changes = changes.into_iter().map(|(id, change)| (id, change, None)).collect();
        self.queue_with(self.state.clone(), changes, Vec::new(), chance)
    }

    /// The same, and with it another state and other changes of the store. Beside each change stands the rev that
    /// its user saw, where that may be older than the mirror's.
    pub(super) fn queue_with(
        &mut self,
        state: State,
        changes: Vec<(ContactId, Change, Option<Rev>)>,
        mut others: Vec<StoreChange>,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let mut ops = Vec::with_capacity(changes.len());
        for (place, (id, change, seen)) in (self.state.next_place..).zip(changes) {
            let op_id: OpId = format!("{:016x}", chance.next_u64()).parse().expect("16 hex digits");
            let base_rev = self.base_rev(id)?;
            let base_rev = seen.map_or(base_rev, |seen| seen.min(base_rev));
            ops.push(Queued { place, op_id, id, base_rev, change, acked: None });
        }
        let state = State { next_place: state.next_place + ops.len() as u64, ..state };
        others.extend(ops.iter().cloned().map(StoreChange::PutOp));
        self.commit(state, others)?;
        ops.into_iter().for_each(|op| self.outbox.insert(op));
        self.stir();
        Ok(())
    }

    /// A contact as the phone shows it: as pulled, with the user's own changes on top.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn contact(&self, id: ContactId) -> Result<Option<Fields>, StoreError> {
        let pulled = self.store.contact(id)?;
        let pulled = pulled.map(|contact| Arc::unwrap_or_clone(contact.shown).fields);
        Ok(self.outbox.on_top(id, pulled, &self.state.region))
    }

    /// The first contact from there on that the phone shows, in the order of ids.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_contact(
        &self,
        mut from: Bound<ContactId>,
    ) -> Result<Option<(ContactId, Fields)>, StoreError> {
        loop {
            let known = [self.store.next_contact(from)?, self.outbox.next(from)];
            let Some(id) = known.into_iter().flatten().min() else { return Ok(None) };
            if let Some(fields) = self.contact(id)? {
                return Ok(Some((id, fields)));
            }
            from = Bound::Excluded(id);
        }
    }

    /// The first contacts after one, or of all, that the phone shows and that have all words of a query, in the order
    /// of ids.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn find(
        &self,
        query: &Query,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, Fields)>, StoreError> {
        let mut found = Vec::new();
        let mut from = after.map_or(Bound::Unbounded, Bound::Excluded);
        loop {
            let pulled = self.store.find(query, from, limit)?;
            let to = pulled.last().copied().filter(|_| pulled.len() >= limit);
            let mut ids: BTreeSet<ContactId> = pulled.into_iter().collect();
            // What this phone changed of contacts is in no store's index.
            let mut own = from;
            while let Some(id) = self.outbox.next(own).filter(|id| to.is_none_or(|to| *id <= to)) {
                ids.insert(id);
                own = Bound::Excluded(id);
            }
            for id in ids {
                let is_own = self.outbox.touches(id);
                let fields = self.contact(id)?;
                let fields = fields.filter(|it| !is_own || query.is_in(&found_by(it)));
                found.extend(fields.map(|fields| (id, fields)));
                if found.len() >= limit {
                    return Ok(found);
                }
            }
            match to {
                Some(to) => from = Bound::Excluded(to),
                None => return Ok(found),
            }
        }
    }
}
