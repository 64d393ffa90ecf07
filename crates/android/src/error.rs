//! What Kotlin is told when a call fails. Messages in the user's language must never live here: `code` is
//! what the app looks up.

use callbook_device::StoreError;

use crate::http::BadAddress;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The phone's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address of the server.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// A command that is none. What it said is not repeated: it may be a number or a password.
    #[error("the command cannot be read, at column {0}")]
    Command(usize),
    /// A command without something that it needs.
    #[error("the command lacks `{0}`")]
    Lacks(&'static str),
    /// What a sync asked for was not what came.
    #[error("the sync asked for something else: begin it again")]
    OutOfStep,
    /// The server takes nothing for now. What the sync had done stands.
    #[error("the server asks to wait for {0} seconds")]
    Later(u64),
    /// The sync was cancelled. What it had done stands.
    #[error("the sync was cancelled")]
    Cancelled,
    /// The phone was closed, or never opened.
    #[error("the phone is closed: open it again")]
    Closed,
    /// A call has panicked.
    #[error("the library has failed: close the phone and open it again")]
    Crashed,
}

impl Error {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Address(error) => error.code(),
            Self::Command(_) | Self::Lacks(_) => "bad_command",
            Self::OutOfStep => "out_of_step",
            Self::Later(_) => "try_later",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
            Self::Crashed => "crashed",
        }
    }

    /// In how many seconds the library will try again, when it is the server that asks to wait (429, 503 and what is
    /// like it): what `Retry-After` says, or its own waiting after failures where that is longer.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Later(seconds) => Some(*seconds),
            _ => None,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Command(error.column())
    }
}
