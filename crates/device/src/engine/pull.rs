//! Pulling contacts: each page and its cursor in one commit, and the digest that proves the mirror.

use callbook_base::Rev;
use callbook_contacts::wire::{Form, PullAnswer};

use super::{Engine, Outcome, Sent};
use crate::status::Problem;
use crate::store::{Mirrored, State, Store, StoreChange, StoreError};
use crate::transport::{Method, Request};

impl<S: Store> Engine<S> {
    pub(super) fn pull_contacts(&self) -> (Sent, Request) {
        let path = match &self.state.cursor {
            Some(cursor) => format!("/sync/contacts?cursor={cursor}"),
            None => "/sync/contacts".to_owned(),
        };
        (Sent::PullContacts, self.request(Method::Get, path, None))
    }

    pub(super) fn contacts_pulled(&mut self, answer: PullAnswer) -> Result<Outcome, StoreError> {
        let PullAnswer { epoch, contacts, cursor, has_more, digest, rev } = answer;
        let mut state = State { epoch: Some(epoch), cursor: Some(cursor), ..self.state.clone() };
        let mut changes = Vec::with_capacity(contacts.len() + 1);
        // A page has a contact once.
        for row in contacts {
            if let Some(before) = self.store.rev(row.id)? {
                state.digest = state.digest.without(row.id, before);
            }
            changes.push(match row.form {
                Form::Visible(shown) => {
                    state.digest = state.digest.with(row.id, row.rev);
                    let contact = Mirrored { rev: row.rev, pass: state.pass, shown };
                    StoreChange::PutContact(row.id, contact)
                }
                Form::Hidden { .. } | Form::Deleted => StoreChange::RemoveContact(row.id),
            });
        }
        self.commit(state, changes)?;
        if has_more {
            return Ok(Outcome::Taken);
        }
        let swept = self.sweep()?;
        let shown = self.outbox.shown_at(rev);
        if !shown.is_empty() {
            let changes = shown.iter().map(|place| StoreChange::RemoveOp(*place)).collect();
            self.commit(self.state.clone(), changes)?;
        }
        for place in shown {
            self.outbox.remove(place);
        }
        if digest.is_none_or(|digest| digest == self.state.digest) {
            self.problem.take_if(|problem| *problem == Problem::DigestDiffers);
            self.advance();
        } else if swept {
            // It was pulled from the start just now: another time would change nothing.
            self.problem = Some(Problem::DigestDiffers);
            self.resync()?;
            return Ok(Outcome::Failed(None));
        } else {
            self.resync()?;
        }
        Ok(Outcome::Taken)
    }

    /// At the end of a pull from the start: removes what it did not send. Whether this was one.
    fn sweep(&mut self) -> Result<bool, StoreError> {
        if !self.state.sweeping {
            return Ok(false);
        }
        let mut state = State { sweeping: false, ..self.state.clone() };
        let gone: Vec<_> = self.store.not_seen_in(state.pass)?;
        for (id, rev) in &gone {
            state.digest = state.digest.without(*id, *rev);
        }
        let changes = gone.into_iter().map(|(id, _): (_, Rev)| StoreChange::RemoveContact(id));
        self.commit(state, changes.collect())?;
        Ok(true)
    }

    /// Pulls from the start. Contacts stay shown meanwhile, and the outbox is untouched.
    pub(super) fn resync(&mut self) -> Result<(), StoreError> {
        self.resyncs += 1;
        let pass = self.state.pass + 1;
        let state = State { cursor: None, pass, sweeping: true, ..self.state.clone() };
        self.commit(state, Vec::new())
    }
}
