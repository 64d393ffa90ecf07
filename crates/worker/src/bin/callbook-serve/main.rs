//! `cargo serve`: the service on an embedded SQLite file. What lives here is the edge of a native
//! server: options, the clock, chance, signals, logs. The service itself is the library's.

#![cfg_attr(target_arch = "wasm32", allow(unused))]

#[cfg(not(target_arch = "wasm32"))]
mod connections;
#[cfg(not(target_arch = "wasm32"))]
mod edge;
#[cfg(not(target_arch = "wasm32"))]
mod hints;
#[cfg(not(target_arch = "wasm32"))]
mod server;

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    server::main()
}
