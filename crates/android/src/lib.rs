//! What the Android app loads: the phone's engine, with its HTTP.
//!
//! A rule of sync must never live here (they are in callbook-device), nor anything that only Android can
//! do: that is the app's.

pub mod http;
