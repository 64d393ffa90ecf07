//! Contacts that are removed from the phone since others that have their numbers are older: kept for the user to see,
//! and to bring back. Who is older, the book alone decides.

use std::sync::Arc;

use callbook_base::{ContactId, Timestamp};
use callbook_contacts::wire::Form;
use callbook_dedup::number_key;

use super::Engine;
use crate::provider::Duplicate;
use crate::store::{Store, StoreChange, StoreError};

impl<S: Store> Engine<S> {
    /// Contacts that were removed from the phone as duplicates of older ones, in the order of their ids.
    pub fn duplicates(&self) -> impl Iterator<Item = &Duplicate> {
        self.duplicates.values()
    }

    /// The user wants a duplicate back: its numbers are marked as shared, so that every contact that has one of
    /// them shows it. It is there again after the next sync.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn undo_duplicate(&mut self, id: ContactId) -> Result<(), StoreError> {
        let Some(duplicate) = self.duplicates.get(&id) else { return Ok(()) };
        let region = &self.state.region;
        let keys = duplicate.had.phones.iter().filter_map(|phone| {
            let region = if phone.region.as_str().is_empty() { region } else { &phone.region };
            phone.key.or_else(|| number_key(phone.number.as_str(), region.as_str()))
        });
        let keys: Vec<_> = keys.collect();
        let mut state = self.state.clone();
        state.shares.extend(keys.into_iter().map(|key| (key, true)));
        self.commit(state, Vec::new())?;
        self.stir();
        Ok(())
    }

    /// The user has seen that a duplicate was removed.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn forget_duplicate(&mut self, id: ContactId) -> Result<(), StoreError> {
        self.commit(self.state.clone(), vec![StoreChange::RemoveDuplicate(id)])?;
        self.duplicates.remove(&id);
        Ok(())
    }

    /// What is to be noted of a contact that the phone shows in Callbook's account, when it becomes a duplicate of
    /// others or is none any more.
    pub(super) fn duplicate(
        &self,
        id: ContactId,
        form: &Form,
        now: Timestamp,
    ) -> Result<Option<StoreChange>, StoreError> {
        let noted = self.duplicates.get(&id);
        Ok(match form {
            Form::Hidden { owner } if noted.is_none_or(|noted| noted.owner != *owner) => {
                let Some(link) = self.links.own(id) else { return Ok(None) };
                let had = self.contact(id)?.map_or_else(|| link.has.clone(), Arc::new);
                let at = noted.map_or(now, |noted| noted.at);
                Some(StoreChange::PutDuplicate(Duplicate { id, owner: *owner, at, had }))
            }
            Form::Visible(_) => noted.map(|_| StoreChange::RemoveDuplicate(id)),
            Form::Hidden { .. } | Form::Deleted => None,
        })
    }

    /// The store has taken these.
    pub(super) fn note_duplicates(&mut self, changes: Vec<StoreChange>) {
        for change in changes {
            match change {
                StoreChange::PutDuplicate(duplicate) => {
                    self.duplicates.insert(duplicate.id, duplicate);
                }
                StoreChange::RemoveDuplicate(id) => {
                    self.duplicates.remove(&id);
                }
                _ => {}
            }
        }
    }
}
