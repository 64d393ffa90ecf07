//! Deletes that are many wait for their user before the first of them is sent. The service sees them push by push: of
//! thousands the first hundreds would look few. What is many is the service's rule, and must never be told here.

use callbook_contacts::{are_many_deletes, unconfirmed_delete};

use super::Engine;
use crate::outbox::{Aside, Queued, Why};
use crate::store::{State, Store, StoreChange, StoreError};

impl<S: Store> Engine<S> {
    /// Counts the deletes that no push has had yet, with all others that the mirror does not show. They may go, or are put
    /// aside as after the service's refusal. Those that may have gone before keep their places: the service counts
    /// them too.
    pub(super) fn count_deletes(&mut self) -> Result<(), StoreError> {
        let new = self.outbox.deletes().filter(|op| op.place >= self.state.counted_to);
        let mut new: Vec<&Queued> = new.collect();
        new.sort_by_key(|op| op.place);
        if new.is_empty() {
            return Ok(());
        }
        let aside: Vec<Aside> = match self.deletes_are_many()? {
            true => new.into_iter().map(unconfirmed).collect(),
            false => Vec::new(),
        };
        let changes = aside.iter().flat_map(|aside| {
            [StoreChange::RemoveOp(aside.place), StoreChange::PutAside(aside.clone())]
        });
        let state = State { counted_to: self.state.next_place, ..self.state.clone() };
        self.commit(state, changes.collect())?;
        for aside in aside {
            self.outbox.remove(aside.place);
            self.aside.push(aside);
        }
        Ok(())
    }

    fn deletes_are_many(&self) -> Result<bool, StoreError> {
        let mut deletes = 0;
        for op in self.outbox.deletes() {
            deletes += u64::from(self.store.rev(op.id)?.is_some());
        }
        // Few are few in the smallest book: the mirror need not be counted.
        Ok(are_many_deletes(deletes, 0)
            && are_many_deletes(deletes, self.store.not_seen_in(u64::MAX)?.len() as u64))
    }
}

fn unconfirmed(op: &Queued) -> Aside {
    Aside::new(op, Why::Refused(unconfirmed_delete()))
}
