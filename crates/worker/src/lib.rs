//! The one server: what lives here is routes, plans and SQL over one seam to the database.
//!
//! A rule of the domain must never live here (they are in contacts, calls and auth), nor anything
//! that reads a clock or draws a random number.

pub mod database;
#[cfg(not(target_arch = "wasm32"))]
pub mod sqlite;
