//! The kept scenarios: each says in its first line what it guards. Whether the faults that it names still
//! strike is asked too, so that none becomes a run in which nothing happens.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use callbook_sim::{Fault, Script, read, replay};

/// Names and scripts.
fn scenarios() -> Vec<(String, Script)> {
    let mut scenarios = Vec::new();
    for entry in fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let script = fs::read_to_string(&path).unwrap().parse();
        scenarios.push((name.clone(), script.unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    scenarios.sort_by(|(a, _), (b, _)| a.cmp(b));
    scenarios
}

#[test]
fn every_kept_scenario_ends_well() {
    let rows = read(None, usize::MAX).unwrap();
    let mut idle = Vec::new();
    for (name, script) in scenarios() {
        assert!(script.remarks.first().is_some_and(|guards| guards.ends_with('.')), "{name}");
        let outcome = replay(&script, &rows, &Arc::default());
        assert!(outcome.differences.is_empty(), "{name}: {:?}", outcome.differences);
        if outcome.script.kept.strikes != script.kept.strikes {
            idle.push(name);
        }
    }
    assert!(idle.is_empty(), "faults of these no longer strike: {idle:?}");
}

/// One for each fault has that fault alone.
#[test]
fn every_fault_has_a_scenario_of_its_own() {
    let scenarios = scenarios();
    for fault in Fault::ALL {
        let own = scenarios.iter().find(|(name, _)| name == fault.name());
        let (_, script) = own.unwrap_or_else(|| panic!("no scenario {}", fault.name()));
        let faults: BTreeSet<Fault> = script.kept.strikes.iter().map(|(_, fault)| *fault).collect();
        assert_eq!(faults, [*fault].into());
    }
}
