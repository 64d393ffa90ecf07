//! When two contacts hold the same number: what "the same number" is, and who owns it.
//!
//! A number's *key* is what all its spellings have in common ([`number_key`], on top of [`e164`]); the
//! *owner* of a key is its oldest live claimant ([`OldestWins`] for claims that come and go,
//! [`oldest_wins`] for millions at once). Sync, storage and what a contact looks like must never live
//! here.

mod key;
mod number;
mod owner;

pub use key::{InvalidNumberKey, NumberKey, Tables, dialled, number_key};
pub use number::{E164, e164};
pub use owner::{Claim, OldestWins, Owners, Row, oldest_wins};
