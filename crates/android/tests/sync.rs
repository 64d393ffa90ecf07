//! The engine over the real client, against a server on this machine that says what the table tells it to:
//! every kind of answer that the protocol and the networks before it have.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

mod service;

use callbook_android::http::Failure;
use callbook_device::{Problem, SignInReason};

use service::{Answer, Bench, End};

/// Two new contacts are waiting when a phone that is signed in syncs. In place of its n-th answer to a kind
/// of request the server gives another. Which requests come, in one sync and then in the next, and how
/// the phone stands at the end.
fn check(name: &str, instead: &[(&'static str, usize, Answer)], expected: &str, end: End) {
    let mut bench = Bench::signed_in(instead);
    bench.type_contacts(2);
    let mut syncs: Vec<String> = Vec::new();
    for _ in 0..2 {
        bench.sync();
        syncs.push(bench.requests());
    }
    assert_eq!(syncs.join(" | "), expected, "{name}: the requests");
    assert_eq!(bench.end(), end, "{name}: the end");
}

#[test]
fn every_answer() {
    let well = End::default();
    let problem = |status, code| Answer::Problem(status, code, None);
    check("all is well", &[], "push pull calls | pull calls", well.clone());

    // Tried again later: what was told before stands.
    let fails = [
        ("push", "push | push pull calls"),
        ("pull", "push pull | pull calls"),
        ("calls", "push pull calls | calls"),
    ];
    let again = [
        ("503", problem(503, "busy")),
        ("500", problem(500, "internal_error")),
        ("503 of the edge", Answer::Page(503)),
        ("429", problem(429, "too_many_requests")),
        ("a page in between", Answer::Page(200)),
        ("a redirect", Answer::Redirect),
        ("garbage", Answer::Text("{\"acked_seq\":")),
        ("another's JSON", Answer::Text("[1,2,3]")),
        ("no gzip", Answer::Garbled),
        ("cut", Answer::Cut),
        ("slow", Answer::Slow),
    ];
    for (name, answer) in again {
        for (kind, requests) in fails {
            check(&format!("{name}, {kind}"), &[(kind, 1, answer)], requests, well.clone());
        }
    }

    // A token that has run out is refreshed once, and the request sent again.
    check(
        "an old token",
        &[("push", 1, problem(401, "token_expired"))],
        "push token push pull calls | pull calls",
        well.clone(),
    );
    check(
        "an old token in the middle of a pull",
        &[("pull", 1, problem(401, "token_expired"))],
        "push pull token pull calls | pull calls",
        well.clone(),
    );
    // A new one that does not let in either: not at once again.
    check(
        "a token that never lets in",
        &[("push", 1, problem(401, "token_expired")), ("push", 2, problem(401, "token_expired"))],
        "push token push | token push pull calls",
        well.clone(),
    );
    // The session is over: somebody signs in, and nothing that was typed is lost.
    check(
        "a refresh that fails",
        &[("push", 1, problem(401, "token_expired")), ("token", 1, problem(401, "token_invalid"))],
        "push token | ",
        End { sign_in: Some(SignInReason::Ended), unpushed: 2, ..End::default() },
    );
    // One that is not answered says nothing about the session.
    for (name, answer) in again {
        check(
            &format!("{name}, token"),
            &[("push", 1, problem(401, "token_expired")), ("token", 1, answer)],
            "push token | token push pull calls",
            well.clone(),
        );
    }
    check(
        "a token of a copied phone",
        &[("push", 1, problem(401, "token_reused"))],
        "push | ",
        End { sign_in: Some(SignInReason::Copied), unpushed: 2, ..End::default() },
    );
    // Too large for something on the way: in halves, in the same sync.
    check(
        "413",
        &[("push", 1, problem(413, "too_large"))],
        "push push push pull calls | pull calls",
        well.clone(),
    );
    // The phone's past of the book is not the server's.
    check(
        "410",
        &[("pull", 1, problem(410, "cursor_expired"))],
        "push pull pull calls | pull calls",
        End { resyncs: 1, ..End::default() },
    );
    check(
        "409 of a book that was put back",
        &[("push", 1, Answer::Restored)],
        "push push pull calls | pull calls",
        End { resyncs: 1, ..End::default() },
    );
    check(
        "a copied phone",
        &[("push", 1, problem(409, "op_reused"))],
        "push | ",
        End { sign_in: Some(SignInReason::Copied), unpushed: 2, ..End::default() },
    );
    // What this version of the app cannot say: it goes on hearing, and says so.
    check(
        "400",
        &[
            ("push", 1, problem(400, "invalid_request")),
            ("push", 2, problem(400, "invalid_request")),
        ],
        "push pull calls | push pull calls",
        End {
            unpushed: 2,
            problem: Some(Problem::Refused("invalid_request".to_owned())),
            ..End::default()
        },
    );
}

#[test]
fn the_wait_is_what_the_server_asks_for() {
    let mut bench = Bench::signed_in(&[("push", 1, Answer::Problem(503, "busy", Some(4_000)))]);
    bench.type_contacts(1);
    assert!(bench.sync() >= 4_000_000, "milliseconds");
}

#[test]
fn what_stands_in_the_way_is_told_apart() {
    for (answer, failure) in [
        (Answer::Page(200), Some(Failure::Portal)),
        (Answer::Redirect, Some(Failure::Portal)),
        (Answer::Garbled, Some(Failure::Broken)),
        (Answer::Cut, Some(Failure::Broken)),
        (Answer::Slow, Some(Failure::TimedOut)),
        (Answer::Page(503), None),
    ] {
        let mut bench = Bench::signed_in(&[("push", 1, answer)]);
        bench.type_contacts(1);
        bench.sync();
        assert_eq!(bench.http.failure(), failure, "{answer:?}");
    }
}

#[test]
fn one_connection_is_kept() {
    let mut bench = Bench::signed_in(&[]);
    bench.type_contacts(2);
    bench.sync();
    assert_eq!((bench.requests().as_str(), bench.connections()), ("push pull calls", 1));
}

#[test]
fn answers_come_packed() {
    let mut bench = Bench::signed_in(&[("pull", 1, Answer::Packed)]);
    bench.sync();
    assert_eq!(bench.requests(), "pull calls");
    assert_eq!(bench.end(), End::default());
}
