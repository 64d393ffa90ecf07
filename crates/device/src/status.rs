//! How a phone's sync stands, for its user. Messages in their language must never live here.

use serde::Serialize;

/// How sync stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Status {
    /// Whether there is a session.
    pub signed_in: bool,
    /// Ops and marks of shared numbers that the server has not taken yet.
    pub unpushed: usize,
    /// Ops that the server has taken, whose outcome has not been pulled yet.
    pub unpulled: usize,
    /// Calls that the server has not taken yet.
    pub unpushed_calls: usize,
    /// Changes of [`Engine::aside`](crate::Engine::aside) that were refused.
    pub aside: usize,
    /// Those that are deletes and wait for the user to say whether they are meant, since they are many:
    /// see [`Engine::confirm_deletes`](crate::Engine::confirm_deletes).
    pub unconfirmed_deletes: usize,
    /// Those that bring back what the book had before it was restored from a backup.
    pub lost: usize,
    /// Contacts of the phone that cannot be in the book, or of the book that the phone did not take:
    /// [`Engine::unfit`](crate::Engine::unfit) and [`Engine::not_taken`](crate::Engine::not_taken).
    pub unfit: usize,
    /// Contacts that were removed from the phone since older ones have their numbers:
    /// [`Engine::duplicates`](crate::Engine::duplicates).
    pub duplicates: usize,
    /// Pulls from the start, since the engine was opened.
    pub resyncs: u64,
    /// Whether the last sync came to its end.
    pub synced: bool,
    /// What stands in the way, if it is more than the network.
    pub problem: Option<Problem>,
}

impl Status {
    /// Whether all that the user did is in the book, and the book on the phone.
    pub fn is_quiet(&self) -> bool {
        self.synced && self.unpushed + self.unpulled + self.unpushed_calls == 0
    }
}

/// What stands in the way of sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The server refuses a request as a whole; its `code`. The phone and the server disagree on the
    /// protocol: one of them needs an update.
    Refused(String),
    /// The mirror differs from the book after it was pulled from the start.
    DigestDiffers,
}

/// Why somebody must sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInReason {
    /// Nobody has, on this phone.
    Never,
    /// The name or the password was wrong.
    WrongCredentials,
    /// The session was ended, on the server or by time.
    Ended,
    /// Its user signed out.
    SignedOut,
    /// Another phone uses the same session: this one, or the other, is a copy.
    Copied,
}
