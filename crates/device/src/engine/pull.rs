//! Pulling contacts: each page and its cursor in one commit, and the digest that proves the mirror.

use callbook_base::{ContactId, Rev, Timestamp};
use callbook_contacts::Digest;
use callbook_contacts::wire::{Form, MOST_NAMED, PullAnswer, Pulled};

use super::{Ask, Engine, Outcome, Sent};
use crate::event::Happened;
use crate::outbox::Aside;
use crate::portion::Load;
use crate::status::Problem;
use crate::store::{Gone, Mirrored, State, Store, StoreChange, StoreError};
use crate::transport::Method;

impl<S: Store> Engine<S> {
    pub(super) fn pull_contacts(&self) -> Result<(Sent, Ask), StoreError> {
        let limit = self.state.portions.reduced(Load::Contacts);
        let mut path = page("/sync/contacts", self.state.cursor.as_deref(), limit);
        let most = limit.map_or(MOST_NAMED, |limit| limit.min(MOST_NAMED));
        for (n, id) in self.to_ask_for(most)?.into_iter().enumerate() {
            path.push_str(if n == 0 { "&ids=" } else { "," });
            path.push_str(&id.to_string());
        }
        Ok((Sent::PullContacts, self.ask(Method::Get, path, None)))
    }

    pub(super) fn contacts_pulled(
        &mut self,
        answer: PullAnswer<S::Row>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let PullAnswer { epoch, contacts, cursor, has_more, digest, rev, calls_rev } = answer;
        if self.is_another_book(&epoch) {
            return self.pulled_from_another_book();
        }
        let (epoch, cursor) = (Some(epoch), Some(cursor));
        let is_whole = !has_more && self.state.agrees_to.is_none();
        let mut state = State { epoch, cursor, is_whole, ..self.state.clone() };
        if has_more {
            let asked = state.portions.size(Load::Contacts);
            state.portions.grow(Load::Contacts, asked);
        }
        let received = contacts.len();
        let mut changes = Vec::with_capacity(received + 1);
        let (mut lost, mut duplicates) = (Vec::new(), Vec::new());
        // A page has a contact once.
        for row in contacts {
            let row: Pulled = row.into();
            let is_shown = matches!(row.form, Form::Visible(_));
            let revs = (self.store.rev(row.id)?, is_shown.then_some(row.rev));
            state.digest = moved(state.digest, row.id, revs);
            duplicates.extend(self.duplicate(row.id, &row.form, now)?);
            let shown = match &row.form {
                Form::Visible(shown) => Some(&shown.fields),
                Form::Hidden { .. } | Form::Deleted => None,
            };
            lost.extend(self.lost(row.id, shown, state.next_place + lost.len() as u64)?);
            changes.push(match row.form {
                Form::Visible(shown) => {
                    let contact = Mirrored { rev: row.rev, pass: state.pass, shown };
                    StoreChange::PutContact(row.id, contact)
                }
                Form::Hidden { .. } | Form::Deleted => {
                    StoreChange::RemoveContact(row.id, Gone { rev: row.rev, pass: state.pass })
                }
            });
        }
        changes.extend(duplicates.iter().cloned());
        self.commit_lost(state, changes, lost)?;
        self.note_duplicates(duplicates);
        self.counts.1 += received as u64;
        if has_more || !self.to_ask_for(1)?.is_empty() {
            return Ok(Outcome::Taken);
        }
        self.told_calls_rev = calls_rev;

        let swept = self.end_pull(rev)?;
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

    /// Of a book that was restored, while the mirror stays: contacts that have changed in what it has lost, and that
    /// a pull from where both are one would pass over.
    fn to_ask_for(&self, most: usize) -> Result<Vec<ContactId>, StoreError> {
        match self.state.agrees_to.filter(|_| !self.state.sweeping) {
            Some(rev) => self.store.changed_after(rev, self.state.pass, most),
            None => Ok(Vec::new()),
        }
    }

    /// At the end of a pull, which has come to this rev: removes what one from the start did not send. Whether this
    /// was one.
    fn end_pull(&mut self, rev: Rev) -> Result<bool, StoreError> {
        let State { sweeping, agrees_to, knows_gone_after, .. } = self.state;
        if !sweeping && agrees_to.is_none() && knows_gone_after.is_some() {
            return Ok(false);
        }
        let mut state = State {
            is_whole: true,
            sweeping: false,
            agrees_to: None,
            knows_gone_after: knows_gone_after.or(Some(rev)),
            ..self.state.clone()
        };
        let (mut changes, mut lost) = (Vec::new(), Vec::new());
        let unseen = if sweeping { self.store.not_seen_in(state.pass)? } else { Vec::new() };
        for (id, seen) in unseen {
            state.digest = state.digest.without(id, seen);
            lost.extend(self.lost(id, None, state.next_place + lost.len() as u64)?);
            changes.push(StoreChange::RemoveContact(id, Gone { rev, pass: state.pass }));
        }
        self.commit_lost(state, changes, lost)?;
        Ok(sweeping)
    }

    /// Commits, and keeps what a restored book has lost, if there is any.
    fn commit_lost(
        &mut self,
        mut state: State,
        mut changes: Vec<StoreChange>,
        lost: Vec<Aside>,
    ) -> Result<(), StoreError> {
        state.next_place += lost.len() as u64;
        changes.extend(lost.iter().cloned().map(StoreChange::PutAside));
        self.commit(state, changes)?;
        self.aside.extend(lost);
        Ok(())
    }

    /// Pulls the book from the start at the next sync, as a person may ask for. Contacts stay shown meanwhile, and
    /// nothing that was not pushed is lost.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn rebuild(&mut self) -> Result<(), StoreError> {
        self.resync()?;
        self.stir();
        Ok(())
    }

    /// Pulls from the start. Contacts stay shown meanwhile, and the outbox is untouched.
    pub(super) fn resync(&mut self) -> Result<(), StoreError> {
        let state = self.state_of_next_pass();
        self.happened(Happened::PullsAll);
        self.commit(state, Vec::new())
    }

    /// The state in which a pull from the start begins.
    pub(super) fn state_of_next_pass(&mut self) -> State {
        self.resyncs += 1;
        let pass = self.state.pass + 1;
        State {
            cursor: None,
            pass,
            sweeping: true,
            is_whole: false,
            knows_gone_after: None,
            ..self.state.clone()
        }
    }
}

/// A digest when a contact that had one rev in it has another; none, when it is not there.
fn moved(digest: Digest, id: ContactId, (before, now): (Option<Rev>, Option<Rev>)) -> Digest {
    if before == now {
        return digest; // as most do in a pull from the start
    }
    let digest = before.map_or(digest, |before| digest.without(id, before));
    now.map_or(digest, |now| digest.with(id, now))
}

/// The address of the next page of a pull, of so many rows.
pub(super) fn page(path: &str, cursor: Option<&str>, limit: Option<usize>) -> String {
    let query = [
        cursor.map(|cursor| format!("cursor={cursor}")),
        limit.map(|limit| format!("limit={limit}")),
    ];
    let query: Vec<String> = query.into_iter().flatten().collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}
