//! The words that every room uses: ids, time, revs and cursors, parsed once and then never wrong.
//!
//! What lives here is vocabulary without rules. A rule about contacts, calls or sign-in must never
//! live here, nor anything that reads a clock or draws a random number.

mod calendar;
mod cursor;
mod id;
mod named;
mod text;
mod time;

pub use calendar::{Date, InvalidDate};
pub use cursor::{Cursor, Epoch, InvalidCursor, Place, Rev};
pub use id::{ContactId, DeviceId, InvalidId, UserId};
pub use named::Named;
pub use text::{FromText, InvalidText, Line, cell, short};
pub use time::{InvalidTimestamp, Timestamp};

#[doc(hidden)]
pub use serde;
#[doc(hidden)]
pub use smol_str::SmolStr;
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub use utoipa; // what the macros of this crate write stands on it
