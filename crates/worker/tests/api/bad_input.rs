//! What cannot be read has its status and its code, and changes nothing.

use super::*;

/// A book with one contact, and the phone that pushed it.
async fn start() -> (Service, Phone) {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    (service, ann)
}

/// Sends a body and expects a problem that leaves the book as it was.
async fn check(method: Method, path: &str, body: &[u8], problem: (u16, &str)) {
    let (mut service, ann) = start().await;
    let before = dump(&service).await;
    let answer = service.send(method, path, Some(&ann), body.to_vec()).await;
    assert_eq!(
        answer.problem(),
        problem,
        "{path} {}",
        String::from_utf8_lossy(&body[..body.len().min(200)])
    );
    assert!(dump(&service).await == before, "{path}: something changed");
}

/// A push of these ops, with one member more or another.
fn push(ops: Value, member: &str, value: Value) -> Vec<u8> {
    let mut body = json!({ "region": "US", "sent_at": "2026-11-22T10:00:00.000Z", "ops": ops });
    body[member] = value;
    body.to_string().into_bytes()
}

fn op(op_seq: u64) -> Value {
    let mut op = put(9, 0, "(415) 555-0009");
    op["op_seq"] = json!(op_seq);
    op["op_id"] = json!("x");
    op
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    for path in ["/sync/contacts", "/sync/calls", "/login", "/users"] {
        check(Method::POST, path, b"no json", (400, "invalid_request")).await;
        check(Method::POST, path, b"", (400, "invalid_request")).await;
        check(Method::POST, path, b"[]", (400, "invalid_request")).await;
        check(Method::POST, path, b"{\"sent_at\":\"\xc3", (400, "invalid_request")).await;
        check(Method::POST, path, &vec![b' '; (1 << 20) + 1], (413, "too_large")).await;
    }
    let half = [br#"{"region":"US","calls":[],"x":"#.as_slice(), b"\"\xe2\x82\"}"].concat();
    check(Method::POST, "/sync/calls", &half, (400, "invalid_request")).await;
}

#[tokio::test]
async fn pushes_that_are_refused_whole() {
    let ops = || json!([op(2)]);
    let refuse =
        async |body: Vec<u8>, problem| check(Method::POST, "/sync/contacts", &body, problem).await;
    refuse(push(ops(), "sent_at", json!(null)), (400, "invalid_request")).await;
    refuse(
        push(ops(), "sent_at", json!("2026-11-22T10:00:00.000+01:00")),
        (400, "invalid_request"),
    )
    .await;
    refuse(push(ops(), "complete", json!(true)), (400, "invalid_request")).await;
    refuse(push(ops(), "region", json!(49)), (400, "invalid_request")).await;
    refuse(push(json!([op(0)]), "x", json!(0)), (400, "invalid_op")).await;
    let mut text = op(2);
    text["op_seq"] = json!("2");
    refuse(push(json!([text]), "x", json!(0)), (400, "invalid_op")).await;
    refuse(push(json!([{ "op_seq": 2 }]), "x", json!(0)), (400, "invalid_op")).await;
    refuse(push(json!([op(3)]), "x", json!(0)), (409, "op_gap")).await;
    refuse(push(json!([op(2), op(4)]), "x", json!(0)), (409, "op_gap")).await;
    let mut copy = op(1);
    copy["op_id"] = json!("another phone's");
    refuse(push(json!([copy, op(2)]), "x", json!(0)), (409, "op_reused")).await;
    refuse(push(ops(), "epoch", json!("another book")), (409, "epoch_changed")).await;
    let many: Vec<Value> = (2..=502).map(op).collect();
    refuse(push(json!(many), "x", json!(0)), (413, "too_large")).await;
    let calls = json!({ "calls": vec![json!({}); 501] }).to_string().into_bytes();
    check(Method::POST, "/sync/calls", &calls, (413, "too_large")).await;
}

#[tokio::test]
async fn an_op_gap_tells_what_is_expected() {
    let (mut service, ann) = start().await;
    let body = push(json!([op(7)]), "x", json!(0));
    let answer = service.send(Method::POST, "/sync/contacts", Some(&ann), body).await;
    assert_eq!(answer.body["expected"], 2);
}

#[tokio::test]
async fn ops_that_are_rejected_by_themselves() {
    async fn check(member: &str, value: Value, code: &str) {
        let (mut service, mut ann) = start().await;
        let mut bad = json!({ "op": "put", "id": id(1), "base_rev": 1 });
        bad[member] = value;
        let answer = service.push(&mut ann, json!([bad, put(2, 0, "(415) 555-0002")])).await;
        assert_eq!(answer["results"][0]["status"], "rejected");
        assert_eq!(answer["results"][0]["code"], code, "{member}");
        assert!(answer["results"][0]["detail"].is_string());
        assert_eq!(answer["results"][1]["status"], "applied");
        let row = &service.pull(&ann).await[0];
        assert_eq!((&row["id"], &row["rev"]), (&json!(id(1)), &json!(1)), "{member} changed it");
    }
    check("set", json!({ "colour": "red" }), "invalid_contact").await;
    check("set", json!({ "name": "a\0b" }), "invalid_contact").await;
    check("set", json!({ "note": "x".repeat(65_537) }), "invalid_contact").await;
    check("set", json!({ "birthday": "30 February" }), "invalid_contact").await;
    check("add", json!({ "phones": [{ "number": 4_155_552_671_u64 }] }), "invalid_contact").await;
    let phones: Vec<Value> = (0..10_000).map(|n| json!({ "number": n.to_string() })).collect();
    check("add", json!({ "phones": phones }), "contact_too_large").await;
    check("base_rev", json!(99), "base_rev_ahead").await;
    check("base_rev", json!("1"), "invalid_op").await;
    check("id", json!("not an id"), "invalid_op").await;
    check("op", json!("merge"), "invalid_op").await;
}

#[tokio::test]
async fn a_call_whose_number_is_a_text_is_rejected_by_itself() {
    let (mut service, ann) = start().await;
    let call = |duration: Value| {
        json!({ "phone_number": "1", "timestamp": "2026-11-22T09:00:00.000Z",
                "duration": duration, "direction": "missed" })
    };
    let body = json!({ "region": "US", "calls": [call(json!("61")), call(json!(61))] });
    let answer = service.post("/sync/calls", Some(&ann), &body).await.ok();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(1), &json!(0)));
    assert_eq!(answer["rejected"][0]["code"], "invalid_call");
}

#[tokio::test]
async fn half_a_character_spoils_its_op_alone() {
    let (mut service, ann) = start().await;
    let body = push(json!([op(2), op(3)]), "x", json!(0));
    let body = String::from_utf8(body).unwrap().replacen("(415) 555-0009", "\\ud800", 1);
    let answer =
        service.send(Method::POST, "/sync/contacts", Some(&ann), body.into_bytes()).await.ok();
    assert_eq!(answer["results"][0]["code"], "invalid_contact");
    assert_eq!(answer["results"][1]["status"], "applied");
}

#[tokio::test]
async fn cursors_and_limits() {
    let of = |epoch: &str, rev: u64| {
        let cursor = callbook_base::Cursor {
            epoch: epoch.parse().unwrap(),
            rev: callbook_base::Rev(rev),
            last: String::new(),
            first: None,
        };
        format!("cursor={cursor}")
    };
    for path in ["/sync/contacts", "/sync/calls"] {
        for (query, problem) in [
            ("cursor=x", (410, "cursor_expired")),
            (&of("another-book", 0), (410, "cursor_expired")),
            ("limit=0", (400, "invalid_limit")),
            ("limit=-1", (400, "invalid_limit")),
            ("limit=many", (400, "invalid_limit")),
        ] {
            check(Method::GET, &format!("{path}?{query}"), b"", problem).await;
        }
    }
    let name = "01890a5d-ac96-774b-bcce-b302099a8057";
    for ids in ["", "x", &format!("{name},"), &[name; 201].join(",")] {
        check(Method::GET, &format!("/sync/contacts?ids={ids}"), b"", (400, "invalid_request"))
            .await;
    }
    let (mut service, ann) = start().await;
    let epoch =
        service.get("/sync/contacts", &ann).await.ok()["epoch"].as_str().unwrap().to_owned();
    let ahead = service.get(&format!("/sync/contacts?{}", of(&epoch, 99)), &ann).await;
    assert_eq!(ahead.problem(), (410, "cursor_expired"));
}

#[tokio::test]
async fn addresses_and_methods() {
    check(Method::GET, "/nowhere", b"", (404, "not_found")).await;
    check(Method::DELETE, "/sync/contacts", b"", (405, "method_not_allowed")).await;
    check(Method::DELETE, "/devices/x", b"", (404, "not_found")).await;
}

#[tokio::test]
async fn tokens_are_asked_for_first() {
    for (method, path) in [
        (Method::GET, "/me"),
        (Method::GET, "/users"),
        (Method::GET, "/devices"),
        (Method::GET, "/sync/contacts"),
        (Method::POST, "/sync/contacts"),
        (Method::GET, "/sync/calls"),
        (Method::POST, "/sync/calls"),
        (Method::POST, "/logout"),
    ] {
        let (mut service, mut ann) = start().await;
        let before = dump(&service).await;
        let none = service.send(method.clone(), path, None, Vec::new()).await;
        assert_eq!(none.problem(), (401, "token_missing"), "{path}");
        service.now = service.now.plus_millis(900_000);
        let late = service.send(method.clone(), path, Some(&ann), Vec::new()).await;
        assert_eq!(late.problem(), (401, "token_expired"), "{path}");
        ann.access.push('x');
        let forged = service.send(method, path, Some(&ann), Vec::new()).await;
        assert_eq!(forged.problem(), (401, "token_invalid"), "{path}");
        assert!(dump(&service).await == before);
    }
}
