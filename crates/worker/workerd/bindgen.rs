//! The part of wasm-bindgen's command line that worker-build uses, over the same library: a quarter of the
//! time to build. `tools` builds it, at the version of wasm-bindgen in Cargo.lock.

use std::env::args;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bindgen = Bindgen::new();
    // Names of functions are a seventh of the Worker. A panic still says where it was.
    bindgen.remove_name_section(true);
    let mut folder = None;
    let mut args = args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--out-dir" => folder = Some(value()?),
            "--out-name" => drop(bindgen.out_name(&value()?)),
            "--target" if value()? == "module" => drop(bindgen.module(true)?),
            "--no-typescript" => drop(bindgen.typescript(false)),
            "--no-demangle" => drop(bindgen.demangle(false)),
            "--experimental-reset-state-function" => drop(bindgen.reset_state_function(true)),
            "--force-enable-abort-handler" => drop(bindgen.force_enable_abort_handler(true)),
            file if !file.starts_with('-') => drop(bindgen.input_path(file)),
            _ => return Err(format!("worker-build says {arg}, which bindgen.rs does not know").into()),
        }
    }
    Ok(bindgen.generate(folder.ok_or("no --out-dir")?)?)
}
