//! Contacts as vCards: 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) are read, 3.0 and 4.0 written.
//!
//! What lives here is what a card says of a contact. Who may import, and what becomes of the contact in
//! the book, must never live here. The libraries that read cards bring calendars and time zones with
//! them, more than a Worker may weigh; what an address book needs of the format is in these files:
//! `lines.rs` cuts a stream into cards and a card into properties, `read.rs` and `write.rs` know which
//! property is which field.

mod lines;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use lines::{CardTooLarge, Cards};
pub use read::{Card, InvalidCard, read_card};
pub use write::{InvalidVersion, Version, write_card};
