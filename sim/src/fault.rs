//! What goes wrong, on purpose: each fault has a name by which it is switched, a usual rate, and a line in
//! the summary. Where it strikes is in `network.rs`, `database.rs`, `backups.rs` and `phone.rs`.

use std::fmt;
use std::ops::Index;
use std::str::FromStr;

macro_rules! faults {
    ($($fault:ident, $name:literal, $shown:literal, $usual:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $shown] $fault,)*
        }

        impl Fault {
            /// Whether it strikes only phones whose own contacts and calls are in the run.
            pub fn is_of_providers(self) -> bool {
                use Fault::*;
                [PassKilled, ContactsMeddled, ContactsRenumbered, ContactsEmpty, AccountRemoved,
                 CallLogTrimmed].contains(&self)
            }

            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$fault),*];

            /// By which it is switched.
            pub fn name(self) -> &'static str {
                match self { $(Self::$fault => $name),* }
            }

            /// How likely it is at each chance: of a request, a batch, a sync, a change, a phone or a hundredth of
            /// a run.
            pub fn usual_rate(self) -> f64 {
                match self { $(Self::$fault => $usual),* }
            }
        }

        /// As the summary shows it.
        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$fault => $shown),* })
            }
        }
    };
}

faults! {
    RequestLost, "request-lost", "requests lost", 0.02;
    RequestLate, "request-late", "requests late, out of order", 0.02;
    RequestDuplicated, "request-duplicated", "requests duplicated", 0.02;
    AnswerLost, "answer-lost", "answers lost", 0.02;
    AnswerLate, "answer-late", "answers after the phone gave up", 0.01;
    AnswerCut, "answer-cut", "answers cut in the middle", 0.01;
    CaptivePortal, "captive-portal", "captive portals", 0.005;
    Busy, "busy", "429, 502 or 503 in between", 0.01;
    Offline, "offline", "phones out of reach", 0.01;
    PhoneAway, "phone-away", "phones away for days", 0.002;
    Partition, "partition", "times that nobody got through", 0.0002;
    DatabaseFailed, "database-failed", "batches failed", 0.005;
    DatabaseAnswerLost, "database-answer-lost", "batches failed after commit", 0.005;
    DatabaseSlow, "database-slow", "batches slow", 0.005;
    MigrationLate, "migration-late", "migrations after their release", 0.002;
    MigrationEarly, "migration-early", "migrations before their release", 0.002;
    BookRestored, "book-restored", "restores of the book", 0.01;
    CpuLimit, "cpu-limit", "requests above the CPU limit", 0.001;
    WorkerDied, "worker-died", "instances died at work", 0.01;
    SameCustomer, "same-customer", "new customers, entered at several phones", 0.01;
    BulkImport, "bulk-import", "address books imported at once", 0.0002;
    PhoneEdited, "edit-during-sync", "edits in the middle of a sync", 0.03;
    PowerLost, "power-lost", "power lost before a commit", 0.01;
    PhoneCrashed, "phone-crashed", "phones crashed", 0.02;
    PhoneRestored, "phone-restored", "phones restored from a backup", 0.002;
    PhoneCloned, "phone-cloned", "phones set up as copies of others", 0.001;
    PhoneWiped, "phone-wiped", "phones wiped", 0.001;
    PassKilled, "pass-killed", "phones killed while writing contacts", 0.01;
    ContactsMeddled, "contacts-meddled", "contacts deleted or merged by other apps", 0.01;
    ContactsRenumbered, "contacts-renumbered", "phones' contacts with other ids", 0.003;
    ContactsEmpty, "contacts-empty", "phones' contacts that were not there", 0.002;
    AccountRemoved, "account-removed", "accounts removed and added again", 0.003;
    CallLogTrimmed, "call-log-trimmed", "logs of calls trimmed", 0.01;
    ClockJumped, "clock-jumped", "clocks jumped", 0.01;
    ClockZone, "clock-zone", "clocks set hours off, and put right", 0.005;
    DeviceRevoked, "device-revoked", "devices revoked", 0.002;
    PasswordChanged, "password-changed", "passwords changed", 0.0005;
    UserDisabled, "user-disabled", "users disabled for hours", 0.0005;
    ContactRestored, "contact-restored", "contacts brought back to what they said", 0.003;
    ContactSplit, "contact-split", "contacts told apart", 0.003;
    RoleChanged, "role-changed", "roles changed", 0.0005;
    Delayed, "delayed", "messages delayed, some for minutes", 0.02;
    OtherInstance, "other-instance", "requests at other instances", 0.1;
    WorkerDiedLate, "worker-died-late", "instances died with the answer in hand", 0.01;
    Overtaken, "overtaken", "writes overtaken after their reads", 0.02;
    ReleaseRekeys, "release-rekeys", "releases that re-key the book", 0.05;
    ClockOff, "clock-off", "clocks off from the start, up to 30 years", 0.15;
    ContactsCleared, "contacts-cleared", "phone books cleared", 0.001;
    ConflictingEdits, "conflicting-edits", "edits of what another was editing", 0.05;
}

/// A name that no fault has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no fault has this name; `cargo sim -- --list-faults` shows those that there are")]
pub struct UnknownFault;

impl FromStr for Fault {
    type Err = UnknownFault;
    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or(UnknownFault)
    }
}

/// How likely each fault is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates([f64; Fault::ALL.len()]);

impl Rates {
    /// Nothing goes wrong.
    pub const NONE: Self = Self([0.0; Fault::ALL.len()]);

    /// Each as likely as its usual rate says.
    pub fn usual() -> Self {
        let mut rates = Self::NONE;
        Fault::ALL.iter().zip(&mut rates.0).for_each(|(fault, rate)| *rate = fault.usual_rate());
        rates
    }

    /// So many times as likely.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self(self.0.map(|rate| (rate * factor).min(1.0)))
    }

    /// With some so many times as likely.
    #[must_use]
    pub fn with(mut self, faults: &[Fault], factor: f64) -> Self {
        faults.iter().for_each(|fault| self.0[*fault as usize] *= factor);
        self
    }

    /// With one as likely as that.
    #[must_use]
    pub fn set(mut self, fault: Fault, rate: f64) -> Self {
        self.0[fault as usize] = rate;
        self
    }

    /// Without those faults that `keep` says no to.
    #[must_use]
    pub fn filter(mut self, mut keep: impl FnMut(Fault) -> bool) -> Self {
        for (fault, rate) in Fault::ALL.iter().zip(&mut self.0) {
            *rate = if keep(*fault) { *rate } else { 0.0 };
        }
        self
    }
}

impl Index<Fault> for Rates {
    type Output = f64;
    fn index(&self, fault: Fault) -> &f64 {
        &self.0[fault as usize]
    }
}
