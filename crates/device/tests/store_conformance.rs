//! The stores of this crate, on the suite that every store passes.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

mod conformance;

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let files = (0..).map(|n| folder.path().join(format!("{n}.db")));
    let files = std::cell::RefCell::new(files);
    let next = || files.borrow_mut().next().unwrap();
    conformance::conforms(|| callbook_device::SqliteStore::open(&next(), None).unwrap());
}

#[test]
fn memory() {
    conformance::conforms(callbook_device::MemoryStore::default);
}
