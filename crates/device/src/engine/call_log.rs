//! What of the phone's log of calls goes into the book. Nothing is taken out of the book because a phone forgot it.

use std::collections::BTreeSet;
use std::ops::Bound;

use callbook_base::{Line, Timestamp};
use callbook_calls::{Call, CallId, Direction};

use super::Engine;
use crate::call_log::{CHUNK, CallRow, CallsWanted, SeenCalls, read};
use crate::settings::{Entries, WhichCalls};
use crate::store::{State, Store, StoreChange, StoreError};

/// How far back it is read again, in milliseconds: rows come late when a call is long, or from the cloud.
const OVERLAP: i64 = 24 * 60 * 60 * 1_000;

/// One pass over the phone's log of calls. It is in memory only, and may be dropped at any time.
#[derive(Debug)]
pub struct CallPass {
    wanted: CallsWanted,
    /// Numbers of the book, once somebody has asked.
    book: Option<Entries>,
}

impl CallPass {
    /// Which rows to read next.
    pub fn wanted(&self) -> CallsWanted {
        self.wanted
    }
}

fn from_the_start_of(seen: SeenCalls) -> CallPass {
    let since = if seen.date == 0 { i64::MIN } else { seen.date.saturating_sub(OVERLAP) };
    let wanted = CallsWanted { seen: seen.id, since, after: i64::MIN, limit: CHUNK };
    CallPass { wanted, book: None }
}

impl<S: Store> Engine<S> {
    /// Begins a pass over the phone's log of calls; `None` when its user wants none in the book.
    pub fn calls(&self) -> Option<CallPass> {
        let wants_some = self.state.settings.calls != WhichCalls::None;
        wants_some.then(|| from_the_start_of(self.state.seen_calls))
    }

    /// Takes the rows that a pass wanted. Whether it wants more.
    ///
    /// # Errors
    /// The store cannot be read or written. The next pass goes on from what it has.
    pub fn take_calls(
        &mut self,
        pass: &mut CallPass,
        rows: Vec<CallRow>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let seen = self.state.seen_calls;
        let has_more = rows.len() >= pass.wanted.limit;
        let clock = now.as_millis();
        // Later than the last, and with an id that is not.
        let began_anew = |row: &CallRow| {
            row.id <= seen.id
                && row.date.is_some_and(|date| (seen.date + 1..=clock).contains(&date))
        };
        if rows.iter().any(began_anew) && pass.wanted.seen > 0 {
            // Ids are counted from the start: the log was cleared, or is another phone's. All is read once more.
            *pass = from_the_start_of(SeenCalls::default());
            let state = State { seen_calls: SeenCalls::default(), ..self.state.clone() };
            self.commit(state, Vec::new())?;
            return Ok(true);
        }
        let mut next = seen;
        for row in &rows {
            next.id = next.id.max(row.id);
            next.date = next.date.max(row.date.filter(|date| *date <= clock).unwrap_or(0));
            pass.wanted.after = pass.wanted.after.max(row.id);
        }
        let mut calls = Vec::new();
        if !rows.is_empty() {
            let mut noted: BTreeSet<(i64, Line, Direction)> = self
                .store
                .calls_to_push(0, usize::MAX)?
                .iter()
                .map(|(_, call)| what(call))
                .collect();
            let private = self.state.settings.private.entries(&self.state.region);
            for row in &rows {
                let Some(call) = self.of_row(row).filter(|call| !noted.contains(&what(call)))
                else {
                    continue;
                };
                if !private.have_number(&call.phone_number, &self.state.region)
                    && !self.is_in_the_book(&call)?
                    && self.is_wanted(pass, &call)?
                {
                    noted.insert(what(&call));
                    calls.push(call);
                }
            }
        }
        if next != seen || !calls.is_empty() {
            self.note_calls(calls, next)?;
        }
        Ok(has_more)
    }

    /// The call of a row, with its line, unless it fell into private hours.
    fn of_row(&self, row: &CallRow) -> Option<Call> {
        let settings = &self.state.settings;
        let call = read(row)?;
        let is_private = |call: &Call| {
            settings.private.hours.iter().any(|hours| hours.contain(call.timestamp, row.utc_offset))
        };
        let line = row.line.as_ref().and_then(|line| settings.lines.get(line).cloned());
        Some(Call { line, ..call }).filter(|call| !is_private(call))
    }

    fn is_in_the_book(&self, call: &Call) -> Result<bool, StoreError> {
        match self.state.user {
            Some(user) => self.store.has_call(CallId::of(user, call)),
            None => Ok(false),
        }
    }

    fn is_wanted(&self, pass: &mut CallPass, call: &Call) -> Result<bool, StoreError> {
        if self.state.settings.calls == WhichCalls::All {
            return Ok(true);
        }
        let region = &self.state.region;
        if pass.book.is_none() {
            let (mut numbers, mut from) = (Entries::default(), Bound::Unbounded);
            while let Some((id, contact)) = self.next_contact(from)? {
                for phone in contact.phones {
                    let is_nowhere = phone.region.as_str().is_empty();
                    numbers.insert(&phone.number, if is_nowhere { region } else { &phone.region });
                }
                from = Bound::Excluded(id);
            }
            pass.book = Some(numbers);
        }
        Ok(pass.book.as_ref().is_some_and(|book| book.have_number(&call.phone_number, region)))
    }

    fn note_calls(&mut self, calls: Vec<Call>, seen_calls: SeenCalls) -> Result<(), StoreError> {
        let is_news = !calls.is_empty();
        let next_call = self.state.next_call + calls.len() as u64;
        let numbered = (self.state.next_call..).zip(calls);
        let changes = numbered.map(|(n, call)| StoreChange::PutCallToPush(n, call)).collect();
        self.commit(State { next_call, seen_calls, ..self.state.clone() }, changes)?;
        if is_news {
            self.stir();
        }
        Ok(())
    }
}

/// What makes two rows one call.
fn what(call: &Call) -> (i64, Line, Direction) {
    (call.timestamp.as_millis(), call.phone_number.clone(), call.direction)
}
