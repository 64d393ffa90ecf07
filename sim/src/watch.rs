//! What somebody who looks on has asked to be told of a run. A run without it does none of this work, and
//! is the same run: nothing here may draw chance, wait, or change what happens.

use std::sync::Mutex;

use callbook_base::Timestamp;
use callbook_contacts::Digest;

use crate::course::{Course, Standing};
use crate::requests::RequestLog;
use crate::tape::Tape;

/// What is wanted of a run beside its outcome.
#[derive(Default)]
pub struct Watch {
    /// Every request that the service gets.
    pub requests: Option<RequestLog>,
    /// How the run went.
    pub course: Option<Mutex<Course>>,
    /// Its last events.
    pub tape: Option<Tape>,
}

impl Watch {
    /// How the run went, as far as it was asked for.
    pub fn course(&self) -> Course {
        self.course.as_ref().map(|course| lock(course).clone()).unwrap_or_default()
    }

    pub(crate) fn stands(&self, phone: usize, standing: impl FnOnce() -> Standing) {
        self.on_course(|course| course.stands(phone, standing()));
    }

    pub(crate) fn sample(&self, now: Timestamp, book: impl FnOnce() -> Digest) {
        self.on_course(|course| course.sample(now, book()));
    }

    /// A sync that began then came to its end, if it did.
    pub(crate) fn synced(&self, began: Timestamp, now: Timestamp, whole: impl FnOnce() -> bool) {
        let took = u64::try_from(now.millis_since(began)).unwrap_or(0);
        self.on_course(|course| course.syncs.extend(whole().then_some(took)));
    }

    fn on_course(&self, tell: impl FnOnce(&mut Course)) {
        if let Some(course) = &self.course {
            tell(&mut lock(course));
        }
    }
}

fn lock(course: &Mutex<Course>) -> std::sync::MutexGuard<'_, Course> {
    course.lock().expect("a run has one thread")
}
