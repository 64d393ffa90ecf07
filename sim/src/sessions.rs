//! Which phones may have to sign in again, and why: the run itself has copied them, put them back to what they
//! were, or shut them out. All others must never have to: no people would bear it. What the service or the
//! engine thinks of a phone must never enter here.

use std::collections::{BTreeMap, BTreeSet};

use callbook_base::{DeviceId, UserId};

use crate::shared::Shared;

/// What the run has done to phones.
#[derive(Default)]
pub(crate) struct Sessions {
    /// Of each device, how many older states of it, or copies, have been set going and not been told so yet.
    copies: BTreeMap<DeviceId, u64>,
    /// Devices that were ever copied, and those that somebody may have ended, or the users that they are of; and
    /// those whose last token a book that was put back does not know.
    excused: BTreeSet<String>,
}

impl Sessions {
    /// The book is put back from a backup. Answers of before may yet be on their way.
    pub(crate) fn restored(&mut self, shut_out: Vec<String>) {
        self.excused.extend(shut_out);
    }
}

impl Shared {
    /// A device, or all those of a user, may be shut out from now on, whether or not anybody hears of it.
    pub(crate) fn may_be_shut_out(&self, whom: &str) {
        self.inner().sessions.excused.insert(whom.to_owned());
    }

    /// A device gets a refresh token.
    pub(crate) fn gives_token(&self, device: &str) {
        self.inner().model.give_token(device);
    }

    /// A phone goes on from an earlier state of this device, its own or another phone's.
    pub(crate) fn is_copied(&self, device: DeviceId) {
        let mut inner = self.inner();
        *inner.sessions.copies.entry(device).or_default() += 1;
        inner.sessions.excused.insert(device.to_string());
    }

    /// A phone takes itself for a copy of another: its ops' numbers were used. There is one copy less then.
    pub(crate) fn check_copy(&self, phone: usize, device: DeviceId) {
        let mut inner = self.inner();
        let copies = inner.sessions.copies.entry(device).or_default();
        if let Some(others) = copies.checked_sub(1) {
            *copies = others;
            return;
        }
        drop(inner);
        self.violation(format!(
            "phone {phone}: as device {device} it takes itself for a copy, and nobody has copied it"
        ));
    }

    /// A phone's session ends, and not because it is a copy.
    pub(crate) fn check_end(&self, phone: usize, device: DeviceId, user: Option<UserId>) {
        let inner = self.inner();
        let (device, user) = (device.to_string(), user.map(|user| user.to_string()));
        let is_excused = |whom: &String| inner.sessions.excused.contains(whom);
        let may_end = inner.model.has_ended(&device)
            || is_excused(&device)
            || user.as_ref().is_some_and(is_excused);
        drop(inner);
        if !may_end {
            self.violation(format!(
                "phone {phone}: the session of device {device} ends, and nobody has ended it"
            ));
        }
    }
}
