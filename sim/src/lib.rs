//! The proof: virtual phones with the real engine, and the real service on a mocked D1, in virtual
//! time on one thread a seed, while networks, databases, clocks and phones fail. At the end every
//! book must be the one that an independent, naive model computes.
//!
//! No wall clock, no unseeded chance and no thread within a seed may ever enter here: the same seed
//! must make the same run.

mod backups;
mod books;
mod chances;
mod check;
mod cost;
mod course;
mod coverage;
mod database;
mod desk;
mod fault;
mod keys;
mod logs;
mod mix;
mod model;
mod network;
mod order;
pub mod page;
mod phone;
pub mod report;
mod requests;
mod rows;
mod safety;
mod schema;
mod script;
mod sessions;
mod shared;
mod shrink;
mod spelling;
mod stats;
mod store;
mod tape;
mod versions;
mod watch;
mod world;

pub use chances::Place;
pub use check::Difference;
pub use cost::Cost;
pub use course::{Course, Sample};
pub use coverage::Coverage;
pub use fault::{Fault, Rates, UnknownFault};
pub use logs::Numbers;
pub use mix::Mix;
pub use requests::RequestLog;
pub use rows::{InvalidRows, Row, read};
pub use script::{Doings, InvalidScript, Kept, Script};
pub use shrink::shrink;
pub use stats::{Stats, Trace};
pub use tape::{Event, Lane, Tape, What};
pub use watch::Watch;
pub use world::{Outcome, replay, run, run_watched, silence_panics};
