//! Makes the tables of `src/number/tables` from the metadata of one release of `rlibphonenumber`:
//! `cargo run -p callbook-dedup --example tables`. `cargo test` fails when they are not those.
#![allow(clippy::unwrap_used)] // writing to a String does not fail

mod automaton;
mod metadata;
mod plans;
mod text;
mod write;

use std::path::Path;
use std::process::ExitCode;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/number/tables");

fn main() -> ExitCode {
    for (name, made) in make() {
        let path = Path::new(FOLDER).join(name);
        if std::fs::read_to_string(&path).is_ok_and(|held| held == made) {
            println!("{name}: as it was");
            continue;
        }
        if let Err(error) = std::fs::write(&path, made) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{name}: written");
    }
    ExitCode::SUCCESS
}

/// The files of the tables, by name.
fn make() -> [(&'static str, String); 3] {
    let (release, metadata) = metadata::read();
    let plans = plans::make(metadata);
    [
        ("plans.rs", write::plans(&plans, &release)),
        ("states.rs", write::states(&plans)),
        ("script.rs", write::script(&text::make())),
    ]
}

#[test]
fn the_tables_are_those_of_the_pinned_release() {
    for (name, made) in make() {
        let held = std::fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
        let line = held.lines().zip(made.lines()).position(|(held, made)| held != made);
        assert!(
            held == made,
            "{name} differs from line {:?} on: run `cargo run -p callbook-dedup --example tables`",
            line.map(|line| line + 1)
        );
    }
}
