//! The stores of this crate, on the suite that every store passes.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

mod conformance;

#[test]
fn memory() {
    conformance::conforms(callbook_device::MemoryStore::default);
}
