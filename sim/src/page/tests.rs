use callbook_base::Timestamp;

use super::*;
use crate::course::Sample;
use crate::fault::Fault;
use crate::tape::{Lane, What};

/// A page of a small run that never was; a failed one with texts that want to be more than texts.
fn page(fails: bool) -> String {
    let mut stats = Stats {
        devices: 3,
        changes: 1_234,
        calls: 56,
        syncs: 100,
        requests: 789,
        visible: 40,
        hidden: 7,
        most_statements: 22,
        virtual_ms: 91_000_000,
        ..Stats::default()
    };
    stats.cost.rows_given = 4_567;
    stats.fault(Fault::RequestLost, None);
    stats.fault(Fault::RequestLost, None);
    stats.fault(Fault::PhoneCrashed, None);
    let sample = |step: u64| {
        let differing = if step > 100 { 0 } else { 3 - step / 40 };
        Sample { devices: 3, differing, for_long: differing / 2 }
    };
    let mut course = Course::default();
    course.samples.extend((1..=101).map(sample));
    course.syncs.extend([340, 512, 45_000, 410]);
    let differences =
        [Difference("contact <b>7</b> & \"8\": state is visible on the server".to_owned())];
    let failure = Failure {
        seed: 7,
        command: "cargo sim -- --contacts '<i>'".to_owned(),
        short: Some("cargo sim -- replay target/sim/seed-7.sim".to_owned()),
        differences: &differences,
    };
    let failures = if fails { vec![failure] } else { Vec::new() };
    Page {
        mix: fails.then(Mix::main).as_ref(),
        seed: 7,
        seeds: if fails { 1 } else { 20 },
        command: "cargo sim -- --seed 7",
        time: Duration::from_secs(24 * 60 * 60),
        stats: &stats,
        course: &course,
        trace: "0123456789abcdef",
        wall: Duration::from_millis(2_345),
        failures: &failures,
        closer: fails
            .then(|| Closer { about: Some("<7>".to_owned()), events: events(&differences[0]) }),
        speed: Speed { keys: 12_345_678, owners: 45_678_901 },
    }
    .html()
}

fn events(difference: &Difference) -> Vec<Event> {
    let at = |seconds: i64| Timestamp::from_millis(1_795_341_600_000 + 1_000 * seconds);
    let event = |seconds, lane, what| Event { at: at(seconds), lane, what };
    let exchange = |asked: &str, seconds, answer: &str| What::Exchange {
        asked: asked.to_owned(),
        answered_at: at(seconds),
        answer: answer.to_owned(),
    };
    let fault = |fault, to: &str| What::Fault(fault, to.to_owned());
    vec![
        event(0, Lane::Desk, exchange("DELETE /devices/<7>", 0, "204")),
        event(1, Lane::Phone(0), fault(Fault::RequestLost, "POST /sync/contacts")),
        event(2, Lane::Phone(0), exchange("POST /sync/contacts · put", 5, "200 · applied · rev 3")),
        event(3, Lane::Phone(2), fault(Fault::PhoneCrashed, "")),
        event(4, Lane::Phone(2), exchange("GET /sync/contacts", 6, "200 · shown · rev 3")),
        event(7, Lane::Phone(2), fault(Fault::AnswerLost, "GET /sync/contacts")),
        event(8, Lane::Service, fault(Fault::WorkerDied, "")),
        event(9, Lane::Phone(0), fault(Fault::Partition, "")),
        event(10, Lane::Service, What::Difference(difference.0.clone())),
    ]
}

/// An element a line and without the style, for whoever reads the difference.
fn in_lines(page: &str) -> String {
    page.replace(include_str!("style.css"), "…").replace("><", ">\n<")
}

#[test]
fn a_run_that_ends_well() {
    insta::assert_snapshot!(in_lines(&page(false)));
}

#[test]
fn a_run_that_fails() {
    let page = page(true);
    assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("<7>"));
    insta::assert_snapshot!(in_lines(&page));
}

/// A page needs nothing beside it.
#[test]
fn a_page_stands_alone() {
    for page in [page(false), page(true)] {
        for outside in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
