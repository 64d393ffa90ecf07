//! The phone's side of sync: a mirror of the book, an outbox of what its user changed, and an engine
//! that says what to send next and takes what came back (sections 4 to 7 of the protocol).
//!
//! The engine is sans-I/O: a driver sends its requests and tells it the time. SQL, HTTP, async
//! runtimes, a clock and randomness must never live here; [`sync`] is the one async driver, over
//! whatever [`Transport`] its host has.

pub mod call_log;
mod engine;
mod event;
mod outbox;
mod portion;
pub mod provider;
mod search;
pub mod settings;
mod status;
mod store;
mod transport;

pub use engine::{CallPass, Engine, Imported, Pass};
pub use event::{Event, Happened, MOST_EVENTS};
pub use outbox::{Aside, Change, Queued, Why};
pub use portion::{Load, Portion, Portions};
pub use search::Query;
pub use status::{Problem, SignInReason, Status};
#[cfg(any(test, feature = "test-support"))]
pub use store::memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use store::sqlite::SqliteStore;
pub use store::{Gone, Mirrored, Session, State, Store, StoreChange, StoreError};
pub use transport::{Method, Next, NoAnswer, Request, RequestId, Response, Transport, sync};
