//! What a contact is: its fields, how edits merge, how a push is planned into the book, and the
//! messages that carry all this (sections 3 to 5 of the protocol).
//!
//! What lives here are plain functions of plain data. SQL, HTTP, async, a clock and randomness must
//! never live here.

mod clock;
pub mod csv;
mod digest;
mod edit;
mod fields;
mod op;
mod plan;
mod text;
pub mod vcard;
pub mod wire;

pub use clock::{Clocks, Floor};
pub use digest::{Digest, InvalidDigest};
pub use edit::{Add, Edit, NewPhone, Remove, Set, TooLarge};
pub use fields::{Entry, Fields, LARGEST, MOST_ENTRIES, NameParts, Phone};
pub use op::{
    Change, InvalidOpId, Kind, Op, OpId, Push, PushedOp, Rejection, RejectionCode, Target,
};
pub use plan::{
    Author, Changes, Contact, Deletes, Device, Facts, Held, LastEdit, Plan, PlanError, Put,
    Remembered, SplitError, State, are_many_deletes, plan, plan_puts, pulled, rekey, rekeyed,
    share, split, unconfirmed_delete,
};
pub use text::{Birthday, InvalidBirthday, InvalidNote, Note};
