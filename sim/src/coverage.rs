//! Which faults have met which kinds of request.

use std::collections::BTreeSet;

use crate::fault::Fault;

/// The kinds of requests of phones.
const OPERATIONS: [&str; 7] = [
    "push contacts",
    "pull contacts",
    "push calls",
    "pull calls",
    "share a number",
    "sign in",
    "refresh",
];

/// The faults that strike a request, or a phone while it waits for the answer.
const STRIKING: [Fault; 19] = [
    Fault::RequestLost,
    Fault::RequestLate,
    Fault::RequestDuplicated,
    Fault::AnswerLost,
    Fault::AnswerLate,
    Fault::AnswerCut,
    Fault::CaptivePortal,
    Fault::Busy,
    Fault::DatabaseFailed,
    Fault::DatabaseAnswerLost,
    Fault::DatabaseSlow,
    Fault::CpuLimit,
    Fault::WorkerDied,
    Fault::WorkerDiedLate,
    Fault::OtherInstance,
    Fault::Delayed,
    Fault::PhoneEdited,
    Fault::PowerLost,
    Fault::PhoneCrashed,
];

/// A kind of request, by its path and whether it has a body.
pub(crate) fn operation(path: &str, has_body: bool) -> Option<&'static str> {
    let place = match (path.split('?').next().unwrap_or_default(), has_body) {
        ("/sync/contacts", true) => 0,
        ("/sync/contacts", false) => 1,
        ("/sync/calls", true) => 2,
        ("/sync/calls", false) => 3,
        (path, _) if path.starts_with("/numbers/") => 4,
        ("/login", _) => 5,
        ("/token", _) => 6,
        _ => return None,
    };
    Some(OPERATIONS[place])
}

/// The pairs that were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeSet<(Fault, &'static str)>);

impl Coverage {
    pub(crate) fn met(&mut self, fault: Fault, operation: &'static str) {
        if STRIKING.contains(&fault) {
            self.0.insert((fault, operation));
        }
    }

    /// Those of both.
    pub fn add(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// How many, and of how many.
    pub fn count(&self) -> (usize, usize) {
        // A pull of calls writes nothing whose answer could be lost after the commit; and to sign in, refresh or
        // share a number is never too much.
        (self.0.len(), STRIKING.len() * OPERATIONS.len() - 4)
    }
}
