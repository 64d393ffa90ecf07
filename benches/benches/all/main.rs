//! `cargo bench -p callbook-benches`: Callbook's hot paths, each beside what a user would pick instead,
//! timed in one run, and a table of them all at the end. A time says more of the machine than of the
//! code; a ratio is what must hold, and the run fails when one is far below its goal.
//!
//! `-- --quick` takes half a minute and leaves the largest sizes out; `-- NAME` runs the benchmarks of that
//! name alone, without the simulations and the facts that no benchmark tells.
#![allow(missing_docs, clippy::unwrap_used)] // a benchmark that cannot be set up stops
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // clocks and hash maps are what is measured

mod numbers;
mod owners;
mod push;
mod simulation;
mod table;

use std::path::Path;
use std::process::ExitCode;

use criterion::Criterion;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the figures of this run are written.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/callbook-benches");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == numbers::COLD) {
        numbers::cold();
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let _ = std::fs::remove_dir_all(HOME); // of another run
    let mut criterion =
        Criterion::default().output_directory(Path::new(HOME)).configure_from_args();
    numbers::bench(&mut criterion);
    owners::bench(&mut criterion, quick);
    push::bench(&mut criterion);
    criterion.final_summary();
    if arguments.iter().any(|argument| argument == "--list" || argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let chosen = arguments.iter().skip(1).any(|argument| !argument.starts_with('-'));
    let whole = (!chosen).then(|| simulation::compare(quick));
    table::print(Path::new(HOME), whole.as_deref())
}
