//! What a phone must not forget, and the one way to change it. How it is kept must never live here:
//! in memory in the simulator, in SQLite on a phone.

#[cfg(any(test, feature = "test-support"))]
pub(crate) mod memory;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use callbook_auth::Secret;
use callbook_base::{ContactId, DeviceId, Line, Rev, Timestamp, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId};
use callbook_contacts::Digest;
use callbook_contacts::wire::{Pulled, Shown};
use callbook_dedup::NumberKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call_log::SeenCalls;
use crate::event::Event;
use crate::outbox::{Aside, Queued};
use crate::portion::Portions;
use crate::provider::{Duplicate, Link, RawId};
use crate::search::Query;
use crate::settings::Settings;

/// A store that cannot be read or written. Whatever it is, nothing of the store is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file is no database, or one of something else.
    #[error("the file is no store of Callbook's: rebuild it from the book")]
    NotAStore,
    /// A part of the file cannot be read.
    #[error("the phone's store is damaged: rebuild it from the book ({0})")]
    Damaged(String),
    /// A later release wrote the file.
    #[error(
        "a newer Callbook wrote the phone's store (version {found}, and this one knows {known}): update the app"
    )]
    Newer {
        /// Of the file.
        found: i64,
        /// The latest that this release knows.
        known: i64,
    },
    /// The file cannot be written.
    #[error("the phone's store is read-only: make its folder writable")]
    ReadOnly,
    /// There is no room left.
    #[error("the phone's storage is full: make room, and sync again")]
    Full,
    /// Whoever waited has given up.
    #[error("the work was given up")]
    Stopped,
    /// Anything else.
    #[error("the phone's store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAStore => "not_a_store",
            Self::Damaged(_) => "store_damaged",
            Self::Newer { .. } => "store_newer",
            Self::ReadOnly => "store_read_only",
            Self::Full => "storage_full",
            Self::Stopped => "stopped",
            Self::Failed(_) => "store_failed",
        }
    }
}

/// What a phone must not forget.
pub trait Store {
    /// What a contact of an answer is read as, before it is pulled into the mirror: [`Pulled`], but for stores that have
    /// read the same before.
    type Row: DeserializeOwned + Into<Pulled>;

    /// The small state; that of a new phone in an empty store.
    fn state(&self) -> Result<State, StoreError>;

    /// A contact of the mirror.
    fn contact(&self, id: ContactId) -> Result<Option<Mirrored>, StoreError>;

    /// The rev of a contact of the mirror.
    fn rev(&self, id: ContactId) -> Result<Option<Rev>, StoreError>;

    /// The first contact of the mirror from there on, in the order of ids.
    fn next_contact(&self, from: Bound<ContactId>) -> Result<Option<ContactId>, StoreError>;

    /// The first contacts of the mirror from there on that have all words of a query, in the order of ids.
    fn find(
        &self,
        query: &Query,
        from: Bound<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// The contacts of the mirror that no pull has sent since this pass began, with their revs.
    fn not_seen_in(&self, pass: u64) -> Result<Vec<(ContactId, Rev)>, StoreError>;

    /// The contacts that are in the mirror, or have gone from it, by a rev above this one, and of which no pull has
    /// told since this pass began; the first of them in any order.
    fn changed_after(
        &self,
        rev: Rev,
        pass: u64,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// The outbox, in order.
    fn outbox(&self) -> Result<Vec<Queued>, StoreError>;

    /// The changes that are kept aside, in the order of their places.
    fn aside(&self) -> Result<Vec<Aside>, StoreError>;

    /// The first calls to push from a number on, with their numbers, in order.
    fn calls_to_push(&self, from: u64, limit: usize) -> Result<Vec<(u64, Call)>, StoreError>;

    /// The calls of this user that were pulled, in any order.
    fn calls_of(&self, user: UserId) -> Result<Vec<PulledCall>, StoreError>;

    /// Whether a call was pulled.
    fn has_call(&self, id: CallId) -> Result<bool, StoreError>;

    /// What is known of the phone's raw contacts, in any order.
    fn links(&self) -> Result<Vec<Link>, StoreError>;

    /// The contacts that were removed from the phone as duplicates, in any order.
    fn duplicates(&self) -> Result<Vec<Duplicate>, StoreError>;

    /// What happened in syncing, the latest [`MOST_EVENTS`](crate::MOST_EVENTS), in order.
    fn events(&self) -> Result<Vec<Event>, StoreError>;

    /// Makes all these changes, or none: after a crash either all of them have happened or none has.
    fn commit(&mut self, changes: Vec<StoreChange>) -> Result<(), StoreError>;
}

/// What is small and changes often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The sign-in that holds; `None` when somebody must sign in. Tokens are kept where the phone keeps secrets.
    #[serde(skip)]
    pub session: Option<Session>,
    /// When the session's access token ends, by the phone's clock.
    pub access_ends: Option<Timestamp>,
    /// Who has signed in last.
    pub user: Option<UserId>,
    /// The last device that this phone was, which the next sign-in replaces.
    pub device: Option<DeviceId>,
    /// Where numbers without a region of their own are written, ISO 3166.
    pub region: Line,
    /// The book, once the server has named it.
    pub epoch: Option<String>,
    /// How far contacts have been pulled.
    pub cursor: Option<String>,
    /// How far calls have been pulled.
    pub calls_cursor: Option<String>,
    /// The rev of the book's calls to which they have been pulled.
    pub calls_rev: Option<Rev>,
    /// Of the mirror.
    pub digest: Digest,
    /// Which pull from the start this is.
    pub pass: u64,
    /// Whether contacts that this pass does not send are to be swept at its end.
    pub sweeping: bool,
    /// Whether the last pull came to its end.
    pub is_whole: bool,
    /// While a book is pulled that was restored from a backup: up to there it is the one that this phone
    /// knows. What the mirror has beyond that, and this pass does not send, is kept for the user.
    pub agrees_to: Option<Rev>,
    /// The store knows all contacts that have gone from the mirror by a rev above this one; `None` until a pull
    /// from the start has come to its end.
    pub knows_gone_after: Option<Rev>,
    /// How much a request asks for, of what requests have died.
    pub portions: Portions,
    /// This device's ops that the server has taken.
    pub acked_seq: u64,
    /// Whether the server has had a complete push of this device.
    pub told_all: bool,
    /// The place of the next op.
    pub next_place: u64,
    /// Deletes at places below this one have been confirmed by the user, if they are many.
    pub confirmed_to: u64,
    /// Deletes at places below this one have been counted, or confirmed: they may have been sent.
    pub counted_to: u64,
    /// Numbers that the user has marked as shared, or no longer, and the server has not heard of.
    pub shares: BTreeMap<NumberKey, bool>,
    /// The number of the next call.
    pub next_call: u64,
    /// Calls with numbers below this one have been taken by the server, and stay until a pull has shown
    /// them: a restored book would lose them.
    pub calls_taken_to: u64,
    /// How far the phone's log of calls has been read.
    pub seen_calls: SeenCalls,
    /// Whether it is known what the phone's contacts say of labels.
    pub knows_labels: bool,
    /// What the user has chosen.
    pub settings: Settings,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// For requests; `None` when it has to be refreshed.
    pub access: Option<Secret>,
    /// For another.
    pub refresh: Secret,
}

/// A contact of the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// As pulled.
    pub rev: Rev,
    /// The pass that has seen it last.
    pub pass: u64,
    /// What it says.
    pub shown: Arc<Shown>,
}

/// What is known of a contact that has gone from the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The rev by which it went, or the book's when that was noticed.
    pub rev: Rev,
    /// The pass that has told so.
    pub pass: u64,
}

/// One change of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChange {
    /// The small state becomes this.
    State(Box<State>),
    /// A contact of the mirror comes or changes.
    PutContact(ContactId, Mirrored),
    /// A contact of the mirror goes, if it is there.
    RemoveContact(ContactId, Gone),
    /// An op comes or changes, by its place.
    PutOp(Queued),
    /// An op goes, by its place.
    RemoveOp(u64),
    /// A change is kept aside.
    PutAside(Aside),
    /// A change that was kept aside is done with, by its place.
    RemoveAside(u64),
    /// A call is to be pushed.
    PutCallToPush(u64, Call),
    /// A call that was to be pushed has been pulled, or refused.
    RemoveCallToPush(u64),
    /// A call was pulled.
    PutCall(PulledCall),
    /// All calls that were pulled go.
    RemoveCalls,
    /// What is known of a raw contact of the phone comes or changes.
    PutLink(Link),
    /// A raw contact of the phone is gone.
    RemoveLink(RawId),
    /// A contact was removed from the phone as a duplicate.
    PutDuplicate(Duplicate),
    /// It is there again, or its user knows.
    RemoveDuplicate(ContactId),
    /// Something happened.
    PutEvent(Event),
}
