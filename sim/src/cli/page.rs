//! What `--report` measures and looks at beside the run itself.

use std::sync::Arc;
use std::time::Duration;

use callbook_base::{ContactId, Timestamp};
use callbook_dedup::{Claim, number_key, oldest_wins};
use callbook_sim::page::{Closer, Speed};
use callbook_sim::{Difference, Outcome, Row, Tape, Watch};

use super::now;

/// Runs a run once more, and looks closely: at what led to a difference, if there is one.
pub(crate) fn closer(
    difference: Option<&Difference>,
    again: impl FnOnce(&Arc<Watch>) -> Outcome,
) -> Closer {
    let tape = difference.map_or_else(Tape::of_scenes, Tape::of);
    let about = tape.about().map(str::to_owned);
    let watch = Arc::new(Watch { tape: Some(tape), ..Watch::default() });
    let outcome = again(&watch);
    let events = |tape: &Tape| tape.events(outcome.stats.virtual_ms, difference);
    Closer { about, events: watch.tape.as_ref().map(events).unwrap_or_default() }
}

/// How fast numbers are read here: how many, in a quarter of a second.
pub(crate) fn speed(rows: &[Row]) -> Speed {
    let key = |row: &Row| number_key(&row.number, &row.region);
    let claim = |row: &Row| {
        let created_at = Timestamp::from_millis(row.created_at);
        Some((key(row)?, Claim { created_at, contact: ContactId::new(created_at, [0; 10]) }))
    };
    let claims: Vec<_> = rows.iter().filter_map(claim).collect();
    Speed {
        keys: a_second(rows.len(), || rows.iter().filter_map(key).count()),
        owners: a_second(claims.len(), || oldest_wins(&claims, 1).iter().count()),
    }
}

/// How many things are done in a second by a function that does so many.
fn a_second(many: usize, work: impl Fn() -> usize) -> u64 {
    let started = now();
    let mut done = 0;
    while started.elapsed() < Duration::from_millis(250) {
        std::hint::black_box(work());
        done += many;
    }
    (done as f64 / started.elapsed().as_secs_f64()) as u64
}
