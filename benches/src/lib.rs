//! Benchmarks only: see `benches/all` and `README.md`.
