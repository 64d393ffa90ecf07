//! `cargo sim`: options, threads, progress and the exit code. A run itself is the library's.

mod cli;
mod mutants;
mod scenario;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
