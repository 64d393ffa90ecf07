//! The arrows of ARCHITECTURE.md: what a room may depend on, as cargo has resolved it.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::collections::BTreeSet;
use std::process::Command;

/// Every crate that a package needs to run, its own workspace's included.
fn needs(package: &str) -> BTreeSet<String> {
    let args = "tree --locked --edges normal --prefix none --format {p} --package";
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    let output = cargo.args(args.split(' ')).arg(package).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn each_room_depends_only_on_rooms_above_it() {
    #[track_caller]
    fn check(room: &str, expected: &[&str]) {
        let needs = needs(&format!("callbook-{room}"));
        let rooms = needs.iter().filter_map(|name| name.strip_prefix("callbook-"));
        let others: Vec<&str> = rooms.filter(|other| *other != room).collect();
        assert_eq!(others, expected, "{room}");
    }
    check("base", &[]);
    check("dedup", &["base"]);
    check("contacts", &["base", "dedup"]);
    check("calls", &["base", "dedup"]);
    check("auth", &["base"]);
    check("device", &["auth", "base", "calls", "contacts", "dedup"]);
    check("worker", &["auth", "base", "calls", "contacts", "dedup"]);
    check("android", &["auth", "base", "calls", "contacts", "dedup", "device"]);
}

#[test]
fn domain_rooms_and_the_engine_know_no_sql_no_http_and_no_async() {
    let never = "rusqlite libsqlite3-sys http axum hyper ureq tokio futures-core jni";
    for room in ["base", "dedup", "contacts", "calls", "auth", "device"] {
        let needs = needs(&format!("callbook-{room}"));
        let known: Vec<&str> = never.split(' ').filter(|name| needs.contains(*name)).collect();
        assert!(known.is_empty(), "{room} knows {known:?}");
    }
}
