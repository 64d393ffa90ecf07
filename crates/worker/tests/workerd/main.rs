//! What only a server on Cloudflare's runtime can show: `test-workerd` runs these, on the build that
//! `dev-workerd --replay` serves. What the protocol says is tested in `tests/api`, there too.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

mod crowd;
#[path = "../remote/mod.rs"]
mod remote;
mod settings;
mod traces;
