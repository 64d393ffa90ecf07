//! Pushing and pulling calls.

use callbook_calls::Call;
use callbook_calls::wire::{PullCallsAnswer, PushCallsAnswer, PushCallsRequest};

use super::pull::page;
use super::{Ask, Engine, Outcome, Sent, Stage};
use crate::portion::Load;
use crate::store::{State, Store, StoreChange, StoreError};
use crate::transport::Method;

impl<S: Store> Engine<S> {
    /// The first calls that the server has not taken, with their numbers.
    pub(super) fn calls_to_push(&self, limit: usize) -> Result<Vec<(u64, Call)>, StoreError> {
        self.store.calls_to_push(self.state.calls_taken_to, limit)
    }

    pub(super) fn push_calls(&mut self) -> Result<Option<(Sent, Ask)>, StoreError> {
        let calls = self.calls_to_push(self.state.portions.size(Load::Calls))?;
        if calls.is_empty() {
            return Ok(None);
        }
        let (numbers, calls): (Vec<u64>, Vec<Call>) = calls.into_iter().unzip();
        let request = PushCallsRequest { region: &self.state.region, calls: &calls };
        let body = serde_json::to_vec(&request).expect("calls are plain text and numbers");
        let asked = self.ask(Method::Post, "/sync/calls".to_owned(), Some(body));
        Ok(Some((Sent::PushCalls(numbers), asked)))
    }

    /// Stored now, there already, or refused for good: none of them is sent again.
    pub(super) fn calls_pushed(
        &mut self,
        _answer: &PushCallsAnswer,
        numbers: &[u64],
    ) -> Result<Outcome, StoreError> {
        let calls_taken_to = numbers.last().map_or(self.state.calls_taken_to, |last| last + 1);
        let mut state = State { calls_taken_to, ..self.state.clone() };
        state.portions.grow(Load::Calls, numbers.len());
        self.commit(state, Vec::new())?;
        self.counts.0 += numbers.len() as u64;
        Ok(Outcome::Taken)
    }

    pub(super) fn pull_calls(&self) -> (Sent, Ask) {
        let limit = self.state.portions.reduced(Load::PulledCalls);
        let path = page("/sync/calls", self.state.calls_cursor.as_deref(), limit);
        (Sent::PullCalls, self.ask(Method::Get, path, None))
    }

    pub(super) fn calls_pulled(&mut self, answer: PullCallsAnswer) -> Result<Outcome, StoreError> {
        if self.is_another_book(&answer.epoch) {
            return self.pulled_from_another_book();
        }
        // What the book had when contacts were pulled: calls may have come since.
        let calls_rev = if answer.has_more { self.state.calls_rev } else { self.told_calls_rev };
        let mut state =
            State { calls_cursor: Some(answer.cursor), calls_rev, ..self.state.clone() };
        self.counts.1 += answer.calls.len() as u64;
        if answer.has_more {
            let asked = state.portions.size(Load::PulledCalls);
            state.portions.grow(Load::PulledCalls, asked);
        }
        let mut changes: Vec<_> = answer.calls.into_iter().map(StoreChange::PutCall).collect();
        if !answer.has_more {
            let kept =
                self.store.calls_to_push(0, usize::MAX)?.into_iter().map(|(number, _)| number);
            let shown = kept.take_while(|number| *number < state.calls_taken_to);
            changes.extend(shown.map(StoreChange::RemoveCallToPush));
        }
        self.commit(state, changes)?;
        if !answer.has_more {
            self.end_of_calls()?;
        }
        Ok(Outcome::Taken)
    }

    /// What was noted while a sync went on is pushed before it ends.
    pub(super) fn end_of_calls(&mut self) -> Result<(), StoreError> {
        self.advance();
        let more = !self.calls_to_push(1)?.is_empty();
        if self.stage == Stage::Synced && more && !self.is_refused() {
            self.stage = Stage::PushCalls;
        }
        Ok(())
    }

    /// Whether the pull of contacts has told that no call has come since they were pulled.
    pub(super) fn knows_all_calls(&self) -> Result<bool, StoreError> {
        let State { calls_cursor, calls_rev, .. } = &self.state;
        let is_told =
            calls_cursor.is_some() && calls_rev.is_some() && *calls_rev == self.told_calls_rev;
        Ok(is_told && self.store.calls_to_push(0, 1)?.is_empty())
    }

    /// The cursor is of another book.
    pub(super) fn pull_all_calls(&mut self) -> Result<(), StoreError> {
        let (state, changes) = self.with_all_calls_again(self.state.clone())?;
        self.commit(state, changes)
    }

    /// Pulls calls from the start. The book may have lost some: those of this phone's user are pushed again,
    /// also those that no pull has shown yet, and other phones do the same with theirs.
    pub(super) fn with_all_calls_again(
        &self,
        state: State,
    ) -> Result<(State, Vec<StoreChange>), StoreError> {
        let own = self.state.user.map(|user| self.store.calls_of(user)).transpose()?;
        let own = (self.state.next_call..).zip(own.unwrap_or_default());
        let again = own.map(|(number, row)| StoreChange::PutCallToPush(number, row.call));
        let changes: Vec<StoreChange> =
            [StoreChange::RemoveCalls].into_iter().chain(again).collect();
        let next_call = self.state.next_call + changes.len() as u64 - 1;
        Ok((
            State { calls_cursor: None, next_call, calls_taken_to: 0, calls_rev: None, ..state },
            changes,
        ))
    }
}
