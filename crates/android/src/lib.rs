//! What the Android app loads: the phone's engine with its store and its HTTP, and the bridge to Kotlin.
//!
//! A rule of sync must never live here (they are in callbook-device), nor anything that only Android can
//! do: that is the app's.

mod bridge;
mod edge;
mod error;
pub mod http;
pub mod log;
mod phone;

pub use error::Error;
pub use phone::{Config, Phone};
