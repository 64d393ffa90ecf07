//! What happened in syncing, for the phone's user and whoever helps them. Nothing that people typed must ever live
//! here, nor a number.

use callbook_base::Timestamp;
use serde::{Deserialize, Serialize};

/// How many a store keeps: the latest.
pub const MOST_EVENTS: usize = 500;

/// Something that happened in syncing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// By the phone's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened in syncing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case")]
pub enum Happened {
    /// A sync that had something to say or to hear came to its end.
    Synced {
        /// Ops and calls that the server took.
        sent: u64,
        /// Contacts and calls that came.
        received: u64,
    },
    /// The server cannot be reached, or fails; said once until it can.
    Failing,
    /// The server refuses a request as a whole.
    Refused {
        /// Its code.
        code: String,
    },
    /// Somebody signed in.
    SignedIn,
    /// The session has ended: somebody must sign in.
    SignedOut,
    /// The book is pulled from the start.
    PullsAll,
    /// The book was restored from a backup.
    BookRestored,
}
