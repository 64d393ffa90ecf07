//! Two hundred phones at once, with the same contacts.

use std::time::Duration;

use axum::http::{Request, header};
use callbook_base::{ContactId, Timestamp};
use callbook_worker::Moment;
use serde_json::{Value, json};

use crate::remote::Remote;

/// 2026-11-22T10:00:00Z.
const START: i64 = 1_795_341_600_000;

const PHONES: u32 = 200;
/// Contacts that all of them have.
const CONTACTS: u32 = 20;
const CALLS: u32 = 20;

fn ask(book: &Remote, path: &str, token: Option<&str>, seed: u32, body: &Value) -> (u16, Value) {
    let mut request = Request::post(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut moment = Moment { now: Timestamp::from_millis(START), seed: [7; 32] };
    moment.seed[..4].copy_from_slice(&seed.to_le_bytes());
    let response = book.send(request.body(body.to_string().into_bytes()).unwrap(), moment);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

/// Sends a push until the service is not busy with others'.
fn push(book: &Remote, path: &str, token: &str, seed: u32, body: &Value) -> Value {
    for again in 1..1_000 {
        match ask(book, path, Some(token), seed, body) {
            (200, answer) => return answer,
            (503, _) => {
                std::thread::sleep(Duration::from_millis(10 * u64::from(again.min(20) + seed % 7)))
            }
            (status, answer) => panic!("{status} {answer}"),
        }
    }
    panic!("the service is busy for ever");
}

fn id(n: u32) -> ContactId {
    ContactId::new(Timestamp::from_millis(START + i64::from(n)), [1; 10])
}

#[test]
#[ignore = "test-workerd starts the server"]
fn of_two_hundred_phones_nothing_is_lost_and_nothing_applied_twice() {
    let book = Remote::new_book().expect("CALLBOOK_WORKERD names a server");
    let password = "correct horse battery";
    let setup = json!({ "setup_token": "let me in", "username": "ann", "password": password });
    assert_eq!(ask(&book, "/setup", None, 0, &setup).0, 201);

    // One after the other: more than ten sign-ins of an account at once are taken for guesses.
    let device = json!({ "name": "Pixel 9", "platform": "android 16" });
    let login = json!({ "username": "ann", "password": password, "device": device });
    let sessions: Vec<Value> =
        (0..PHONES).map(|phone| ask(&book, "/login", None, phone + 1, &login).1).collect();
    std::thread::scope(|scope| {
        for (phone, session) in (0..PHONES).zip(&sessions) {
            let book = &book;
            scope.spawn(move || {
                let token = session["access_token"].as_str().unwrap();
                // All contacts by the same ids, to one of which this phone adds a number.
                let op = |n: u32| {
                    let mut phones = vec![json!({ "number": format!("+1415555{n:04}") })];
                    if phone % CONTACTS == n {
                        phones.push(json!({ "number": format!("+1212555{phone:04}") }));
                    }
                    json!({ "op_seq": n + 1, "op_id": format!("{n}"), "op": "put", "id": id(n), "base_rev": 0,
                            "add": { "phones": phones } })
                };
                let at = Timestamp::from_millis(START);
                let ops: Vec<Value> = (0..CONTACTS).map(op).collect();
                let body = json!({ "region": "US", "sent_at": at, "as_of": at, "complete": true, "ops": ops });
                let answer = push(book, "/sync/contacts", token, phone, &body);
                assert_eq!(answer["acked_seq"], CONTACTS);
                let call = |n: u32| {
                    json!({ "phone_number": "+14155550000", "timestamp": Timestamp::from_millis(START - i64::from(n)),
                            "duration": 1, "direction": "incoming" })
                };
                let calls: Vec<Value> = (0..CALLS).map(call).collect();
                push(book, "/sync/calls", token, phone, &json!({ "region": "US", "calls": calls }));
                // Its answer was lost, the phone believes: the same again.
                let again = push(book, "/sync/contacts", token, phone, &body);
                assert!(again["results"].as_array().unwrap().iter().all(|it| it["status"] == "unchanged"));
            });
        }
    });

    // Each number that a phone has added is there once.
    let numbers = "SELECT p.value ->> 'number' AS number, count(*) AS times FROM contacts, json_each(fields, '$.phones') AS p
                   GROUP BY 1 ORDER BY 1";
    let mut expected: Vec<Value> =
        (0..PHONES).map(|n| json!([format!("+1212555{n:04}"), 1.0])).collect();
    expected.extend((0..CONTACTS).map(|n| json!([format!("+1415555{n:04}"), 1.0])));
    assert_eq!(book.ask(numbers), json!(expected));
    // Each phone changed the book once: it made or edited one contact.
    let counts = "SELECT (SELECT rev FROM book), (SELECT count(*) FROM contacts), (SELECT count(*) FROM history),
                         (SELECT count(*) FROM calls), (SELECT calls_rev FROM book), (SELECT count(*) FROM devices)";
    let counts = book.ask(counts);
    let [rev, contacts, history, calls, calls_rev, devices] =
        std::array::from_fn(|n| counts[0][n].as_f64().unwrap() as u32);
    assert_eq!((rev, contacts, calls, calls_rev, devices), (PHONES, CONTACTS, CALLS, 1, PHONES));
    // The first made all, with its own number in one; each of the others edited one.
    assert_eq!(history, PHONES - 1);
}
