//! Numbers that several contacts show (rule 3.8): the user marks them, and the server is told.

use callbook_contacts::wire::ShareRequest;
use callbook_dedup::NumberKey;

use super::{Ask, Engine, Outcome, Sent};
use crate::store::{Store, StoreError};
use crate::transport::Method;

impl<S: Store> Engine<S> {
    /// Marks a number as one that several contacts show, such as a switchboard, or takes the mark away.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn share_number(&mut self, key: NumberKey, shared: bool) -> Result<(), StoreError> {
        let mut state = self.state.clone();
        state.shares.insert(key, shared);
        self.commit(state, Vec::new())?;
        self.stir();
        Ok(())
    }

    pub(super) fn share(&self) -> Option<(Sent, Ask)> {
        let (key, shared) = self.state.shares.first_key_value()?;
        // Of a key's characters those that have a meaning in an address.
        let escaped = key.to_string().replace('+', "%2B").replace(';', "%3B").replace('=', "%3D");
        let body = serde_json::to_vec(&ShareRequest { shared: *shared }).expect("a flag is JSON");
        let asked = self.ask(Method::Put, format!("/numbers/{escaped}"), Some(body));
        Some((Sent::Share(*key, *shared), asked))
    }

    /// The server knows now, or will never take it.
    pub(super) fn told_of_share(
        &mut self,
        key: NumberKey,
        shared: bool,
    ) -> Result<Outcome, StoreError> {
        let mut state = self.state.clone();
        // Unless the user has changed their mind meanwhile.
        if state.shares.get(&key) == Some(&shared) {
            state.shares.remove(&key);
        }
        self.commit(state, Vec::new())?;
        Ok(Outcome::Taken)
    }
}
