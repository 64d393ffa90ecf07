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
        self.duplicates.values().filter(|duplicate| !duplicate.is_over)
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
        let Some(duplicate) = self.duplicates.get(&id) else { return Ok(()) };
        let duplicate = Duplicate { is_over: true, ..duplicate.clone() };
        self.commit_duplicates(vec![StoreChange::PutDuplicate(duplicate)])
    }

    /// Notes these, if there are any.
    pub(super) fn commit_duplicates(
        &mut self,
        changes: Vec<StoreChange>,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.commit(self.state.clone(), changes.clone())?;
        self.note_duplicates(changes);
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
        let (noted, link) = (self.duplicates.get(&id), self.links.own(id));
        let remove = Some(StoreChange::RemoveDuplicate(id));
        Ok(match (form, noted) {
            (Form::Hidden { owner }, Some(noted)) if noted.owner != *owner => {
                let changed = Duplicate { owner: *owner, ..noted.clone() };
                Some(StoreChange::PutDuplicate(changed))
            }
            (Form::Hidden { owner }, None) => {
                let Some(link) = link else { return Ok(None) };
                let had = self.contact(id)?.map_or_else(|| link.has.clone(), Arc::new);
                let (owner, at, rows, is_over) = (*owner, now, None, false);
                let duplicate = Duplicate { id, owner, at, had, rows, is_over };
                Some(StoreChange::PutDuplicate(duplicate))
            }
            // It never left the phone; or it is to come back with all that it had.
            (Form::Visible(_), Some(_)) if link.is_some() => remove,
            (Form::Visible(_), Some(noted)) if !noted.is_over => {
                Some(StoreChange::PutDuplicate(Duplicate { is_over: true, ..noted.clone() }))
            }
            (Form::Deleted, Some(noted)) if noted.is_over => remove,
            _ => None,
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
