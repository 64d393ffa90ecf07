//! What the phone's user does and sees. Sending it must never live here.

use std::ops::Bound;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use callbook_calls::Call;
use callbook_contacts::{Edit, Fields, OpId};
use rand::Rng;

use super::Engine;
use crate::outbox::{Change, Queued};
use crate::store::{State, Store, StoreChange, StoreError};

impl<S: Store> Engine<S> {
    /// Where numbers without a region of their own are written from now on: ISO 3166, from the SIM.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn set_region(&mut self, region: Line) -> Result<(), StoreError> {
        self.commit(State { region, ..self.state.clone() }, Vec::new())
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
        let mut bytes = [0; 10];
        chance.fill_bytes(&mut bytes);
        let id = ContactId::new(now, bytes);
        self.queue(id, Change::Create(now, Box::new(edit)), chance)?;
        Ok(id)
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
        self.queue(id, Change::Edit(Box::new(edit)), chance)
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn delete(&mut self, id: ContactId, chance: &mut impl Rng) -> Result<(), StoreError> {
        self.queue(id, Change::Delete, chance)
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

    fn queue(
        &mut self,
        id: ContactId,
        change: Change,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let place = self.state.next_place;
        let op_id: OpId = format!("{:016x}", chance.next_u64()).parse().expect("16 hex digits");
        let base_rev = self.store.rev(id)?.unwrap_or(Rev(0));
        let op = Queued { place, op_id, id, base_rev, change, acked: None };
        let state = State { next_place: place + 1, ..self.state.clone() };
        self.commit(state, vec![StoreChange::PutOp(op.clone())])?;
        self.outbox.insert(op);
        self.stir();
        Ok(())
    }

    /// A contact as the phone shows it: as pulled, with the user's own changes on top.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn contact(&self, id: ContactId) -> Result<Option<Fields>, StoreError> {
        let pulled = self.store.contact(id)?.map(|contact| contact.shown.fields);
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
}
