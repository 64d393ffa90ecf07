//! Pushing and pulling contacts and calls.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn two_phones_share_a_book() {
    let mut service = Service::new().await;
    let (mut ann, mut bob) = (service.log_in("ann").await, service.log_in("bob").await);
    let first =
        service.push(&mut ann, json!([put(1, 0, "(415) 555-2671"), put(2, 0, "911")])).await;
    assert_eq!((&first["acked_seq"], &first["rev"]), (&json!(2), &json!(1)));
    assert_eq!(first["results"][0]["status"], "applied");
    service.now = service.now.plus_millis(1_000);

    // The same number in another spelling: the older contact stands.
    let second = service.push(&mut bob, json!([put(3, 0, "+1 415 555 2671")])).await;
    let lost = json!([{ "key": "+14155552671", "owner": id(1) }]);
    assert_eq!(
        (&second["results"][0]["status"], &second["results"][0]["lost"]),
        (&json!("hidden"), &lost)
    );

    let rows = service.pull(&bob).await;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&json!(id(1)), &json!(id(2))]);
    assert_eq!(rows[0]["phones"][0]["key"], "+14155552671");
    assert_eq!(rows[1]["phones"][0]["key"], Value::Null);

    // The number given up, the next claimant wakes; a phone with a cursor gets what changed.
    let end = service.get("/sync/contacts", &ann).await.ok();
    let cursor = end["cursor"].as_str().unwrap().to_owned();
    let gives_up = json!({ "op": "put", "id": id(1), "base_rev": 1, "remove": { "phones": ["(415) 555-2671"] } });
    service.push(&mut ann, json!([gives_up])).await;
    let page = service.get(&format!("/sync/contacts?cursor={cursor}"), &ann).await.ok();
    let ids: Vec<&Value> =
        page["contacts"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&json!(id(1)), &json!(id(3))]);
    assert_eq!(page["rev"], 3);

    // And a quiet one nothing.
    let cursor = page["cursor"].as_str().unwrap();
    let quiet = service.get(&format!("/sync/contacts?cursor={cursor}"), &ann).await.ok();
    assert_eq!((&quiet["contacts"], &quiet["digest"]), (&json!([]), &page["digest"]));
}

#[tokio::test]
async fn deletes_retire_revive_and_yield_to_edits() {
    let mut service = Service::new().await;
    let (mut ann, mut bob) = (service.log_in("ann").await, service.log_in("bob").await);
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    service.now = service.now.plus_millis(1_000);
    service.push(&mut bob, json!([put(2, 0, "415-555-2671")])).await;

    let delete = |base_rev: u64| json!([{ "op": "delete", "id": id(1), "base_rev": base_rev }]);
    let rename =
        |name: &str| json!([{ "op": "put", "id": id(1), "base_rev": 1, "set": { "name": name } }]);
    assert_eq!(service.push(&mut ann, delete(1)).await["results"][0]["status"], "deleted");
    assert_eq!(service.pull(&ann).await, Vec::<Value>::new(), "the hidden one is retired with it");
    // An edit that had not seen the delete brings back both.
    let revived = service.push(&mut bob, rename("Ann")).await;
    assert_eq!(revived["results"][0]["status"], "applied");
    assert_eq!(service.pull(&ann).await.len(), 1);
    let again = service.push(&mut bob, json!([put(2, 0, "415-555-2671")])).await;
    assert_eq!(again["results"][0]["status"], "unchanged");
    // A delete that had not seen the edit is not done, even if its own edit came later.
    service.push(&mut ann, rename("Anna")).await;
    let kept = service.push(&mut ann, delete(1)).await;
    assert_eq!(kept["results"][0]["status"], "kept");
    assert_eq!(kept["results"][0]["contact"]["name"], "Anna");
    // What a device edited before it was replaced is no other's edit.
    let rev = kept["rev"].as_u64().unwrap();
    service.push(&mut ann, rename("Annika")).await;
    let replaces = json!({ "username": "ann", "password": PASSWORD,
        "device": { "name": "Pixel 10", "platform": "android 17", "replaces": ann.device } });
    let mut newer = service.log_in_as(replaces).await;
    assert_eq!(service.get("/me", &ann).await.problem(), (401, "token_invalid"));
    assert_eq!(service.push(&mut newer, delete(rev)).await["results"][0]["status"], "deleted");
}

#[tokio::test]
async fn a_push_sent_twice_is_applied_once() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let bad = json!({ "op": "put", "id": id(2), "base_rev": 7 });
    let body = service.push_body(&ann, json!([put(1, 0, "(415) 555-2671"), bad]));
    let first = service.post("/sync/contacts", Some(&ann), &body).await.ok();
    let again = service.post("/sync/contacts", Some(&ann), &body).await.ok();
    assert_eq!((&first["rev"], &again["rev"]), (&json!(1), &json!(1)));
    assert_eq!(again["acked_seq"], 2);
    assert_eq!(again["results"][0]["status"], "unchanged");
    assert_eq!(again["results"][0]["contact"]["phones"][0]["number"], "(415) 555-2671");
    assert_eq!(again["results"][1], first["results"][1]);
    assert_eq!(first["results"][1]["code"], "unknown_contact");
}

#[tokio::test]
async fn pages_end_at_their_limit_and_at_a_mebibyte() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let big = |n: u8| json!({ "op": "put", "id": id(n), "base_rev": 0, "set": { "note": "x".repeat(60_000) } });
    for n in 0..3 {
        service.push(&mut ann, (0..10).map(|i| big(n * 10 + i)).collect()).await;
    }
    let page = service.get("/sync/contacts?limit=5000", &ann).await.ok();
    assert_eq!((page["contacts"].as_array().unwrap().len(), &page["has_more"]), (17, &json!(true)));
    assert_eq!(page["digest"], Value::Null);
    let rows = service.pull(&ann).await;
    let order = |row: &Value| (row["rev"].as_u64(), row["id"].as_str().unwrap().to_owned());
    let sent: Vec<_> = rows.iter().map(order).collect();
    assert!(sent.len() == 30 && sent.is_sorted_by(|a, b| a < b), "{sent:?}");
}

#[tokio::test]
async fn a_first_pull_sends_what_went_since_it_began() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let puts = (0..6).map(|n| put(n, 0, &format!("(415) 555-000{n}"))).collect();
    service.push(&mut ann, puts).await;
    let delete = |n: u8| json!([{ "op": "delete", "id": id(n), "base_rev": 9 }]);
    service.push(&mut ann, json!([{ "op": "delete", "id": id(0), "base_rev": 1 }])).await;
    let first = service.get("/sync/contacts?limit=2", &ann).await.ok();
    service.push(&mut ann, json!([{ "op": "delete", "id": id(1), "base_rev": 1 }])).await;
    let path = format!("/sync/contacts?cursor={}", first["cursor"].as_str().unwrap());
    let rest = service.get(&path, &ann).await.ok();
    let rows: Vec<(&Value, bool)> = rest["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["id"], row["deleted"] == true))
        .collect();
    let expected =
        [(3, false), (4, false), (5, false), (1, true)].map(|(n, gone)| (json!(id(n)), gone));
    assert_eq!(rows, expected.iter().map(|(id, gone)| (id, *gone)).collect::<Vec<_>>());
    let rejected = service.push(&mut ann, delete(2)).await;
    assert_eq!(rejected["results"][0]["code"], "base_rev_ahead");
}

#[tokio::test]
async fn a_call_is_stored_once() {
    let mut service = Service::new().await;
    let (ann, bob) = (service.log_in("ann").await, service.log_in("bob").await);
    let call = |number: &str, second: u32| {
        json!({ "phone_number": number, "timestamp": format!("2026-11-22T09:00:{second:02}.000Z"),
                "duration": 61, "direction": "incoming", "line": "sim-1" })
    };
    let push = |calls: Value| json!({ "region": "US", "calls": calls });
    let both = push(
        json!([call("(415) 555-2671", 1), call("", 2), call("415 555 2671", 1), { "duration": -1 }]),
    );
    let first = service.post("/sync/calls", Some(&ann), &both).await.ok();
    assert_eq!((&first["accepted"], &first["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&first["rejected"][0]["index"], &first["rejected"][0]["code"]),
        (&json!(3), &json!("invalid_call"))
    );
    let again = service.post("/sync/calls", Some(&ann), &both).await.ok();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(3)));
    // Another's call with the same number at the same time is another call.
    service.post("/sync/calls", Some(&bob), &push(json!([call("415 555 2671", 1)]))).await.ok();

    let page = service.get("/sync/calls?limit=2", &bob).await.ok();
    assert_eq!(page["has_more"], true);
    let path = format!("/sync/calls?cursor={}", page["cursor"].as_str().unwrap());
    let rest = service.get(&path, &bob).await.ok();
    assert_eq!(
        (&rest["calls"][0]["rev"], &rest["calls"][0]["key"]),
        (&json!(2), &json!("+14155552671"))
    );
    assert_eq!(rest["calls"].as_array().unwrap().len(), 1);
    let path = format!("/sync/calls?cursor={}", rest["cursor"].as_str().unwrap());
    assert_eq!(service.get(&path, &bob).await.ok()["calls"], json!([]));
    assert_eq!(service.post("/sync/calls", Some(&bob), &push(json!([]))).await.ok()["accepted"], 0);
}

#[tokio::test]
async fn a_wrong_clock_is_corrected() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([])).await; // a complete push: from now on the phone is believed
    let floor = service.now;
    let minute = 60_000;
    service.now = service.now.plus_millis(10 * minute);
    for (n, year) in [(1, "1970"), (2, "2100")] {
        // Made five minutes before it is sent, by a clock that is wrong by decades.
        let mut op = put(n, 0, &format!("(415) 555-000{n}"));
        op["created_at"] = json!(format!("{year}-01-01T00:00:00.000Z"));
        let mut body = service.push_body(&ann, json!([op]));
        body["sent_at"] = json!(format!("{year}-01-01T00:05:00.000Z"));
        body["as_of"] = body["sent_at"].clone();
        body["complete"] = json!(false);
        ann.op_seq = service.post("/sync/contacts", Some(&ann), &body).await.ok()["acked_seq"]
            .as_u64()
            .unwrap();
    }
    let created: Vec<Value> =
        service.pull(&ann).await.iter().map(|row| row["created_at"].clone()).collect();
    assert_eq!(
        created,
        [json!(floor.plus_millis(5 * minute)), json!(floor.plus_millis(5 * minute))]
    );
}

#[tokio::test]
async fn a_contact_is_pulled_with_the_numbers_that_it_owns() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    service.now = service.now.plus_millis(1);
    let two = json!([{ "number": "(415) 555-2672" }, { "number": "+1 415 555 2671" }, { "number": "911" }]);
    let op = json!({ "op": "put", "id": id(2), "base_rev": 0, "set": { "name": "Bo \"B\" \\ 💥" },
        "add": { "phones": two } });
    let sent = service.push_body(&ann, json!([op]));
    service.post("/sync/contacts", Some(&ann), &sent).await.ok();
    let rows = service.pull(&ann).await;
    let numbers: Vec<&Value> =
        rows[1]["phones"].as_array().unwrap().iter().map(|phone| &phone["number"]).collect();
    assert_eq!(numbers, ["(415) 555-2672", "911"]);
    // As a replay has it, which no database writes.
    let again = service.post("/sync/contacts", Some(&ann), &sent).await.ok();
    assert_eq!(again["results"][0]["contact"], rows[1]);
}

/// A phone that clears its address book is asked first; the count of a day goes with a new sign-in.
#[tokio::test]
async fn many_deletes_want_to_be_confirmed() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let puts: Value = (1..=60).map(|n| put(n, 0, &format!("(415) 555-{n:04}"))).collect();
    service.push(&mut ann, puts).await;
    let deletes = |from: u8, to: u8| -> Value {
        (from..=to).map(|n| json!({ "op": "delete", "id": id(n), "base_rev": 1 })).collect()
    };
    let codes = |answer: &Value| -> BTreeSet<String> {
        let results = answer["results"].as_array().unwrap().iter();
        let said = |result: &Value| result.get("code").unwrap_or(&result["status"]).clone();
        results.map(|result| said(result).as_str().unwrap().to_owned()).collect()
    };
    let again = |phone: &Phone| {
        json!({ "username": "ann", "password": PASSWORD,
            "device": { "name": "Pixel 9", "platform": "android 16", "replaces": phone.device } })
    };
    let few = service.push(&mut ann, deletes(1, 15)).await;
    assert_eq!(codes(&few), ["deleted".to_owned()].into());
    // Signed in again, the phone is still the one that has deleted 15; of 45 contacts 6 more are too many.
    let mut ann = service.log_in_as(again(&ann)).await;
    let many = service.push(&mut ann, deletes(16, 21)).await;
    assert_eq!(codes(&many), ["too_many_deletes".to_owned()].into());
    assert_eq!(service.pull(&ann).await.len(), 45);
    // New ones that say so are taken.
    let mut body = service.push_body(&ann, deletes(16, 21));
    body["confirm_deletes"] = json!(true);
    let meant = service.post("/sync/contacts", Some(&ann), &body).await.ok();
    assert_eq!(codes(&meant), ["deleted".to_owned()].into());
    // A day later they no longer count.
    ann.op_seq = meant["acked_seq"].as_u64().unwrap();
    let one = service.push(&mut ann, deletes(22, 22)).await;
    assert_eq!(codes(&one), ["too_many_deletes".to_owned()].into());
    service.now = service.now.after(Duration::from_secs(24 * 3_600 + 60));
    let mut ann = service.log_in_as(again(&ann)).await;
    let one = service.push(&mut ann, deletes(22, 22)).await;
    assert_eq!(codes(&one), ["deleted".to_owned()].into());
}

#[tokio::test]
async fn everyone_shows_a_shared_number() {
    let mut service = Service::new().await;
    let (mut ann, mut bob) = (service.log_in("ann").await, service.log_in("bob").await);
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    service.now = service.now.plus_millis(1_000);
    service.push(&mut bob, json!([put(2, 0, "+1 415 555 2671")])).await;
    assert_eq!(service.pull(&ann).await.len(), 1);
    let share = async |service: &mut Service, key: &str, shared: Value| {
        let (path, body) = (format!("/numbers/{key}"), json!({ "shared": shared }));
        service.send(Method::PUT, &path, Some(&bob), body.to_string().into_bytes()).await
    };
    let key = "%2B14155552671";
    let answer = share(&mut service, key, json!(true)).await.ok();
    assert_eq!(answer, json!({ "key": "+14155552671", "shared": true, "rev": 3 }));
    assert_eq!(share(&mut service, key, json!(true)).await.ok()["rev"], 3, "it was before");
    let rows = service.pull(&ann).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["phones"][0]["key"] == "+14155552671"));
    // Whoever comes later shows it too.
    let third = service.push(&mut ann, json!([put(3, 0, "415-555-2671")])).await;
    assert_eq!(
        (&third["results"][0]["status"], &third["results"][0]["lost"]),
        (&json!("applied"), &json!([]))
    );
    let answer = share(&mut service, key, json!(false)).await.ok();
    assert_eq!((&answer["shared"], &answer["rev"]), (&json!(false), &json!(5)));
    assert_eq!(service.pull(&ann).await.len(), 1);
    // A key that nobody claims may be shared; what is no key is not found.
    assert_eq!(share(&mut service, "%2B493012345678%3Bext%3D9", json!(true)).await.ok()["rev"], 6);
    assert_eq!(share(&mut service, "911", json!(true)).await.problem(), (404, "not_found"));
    assert_eq!(share(&mut service, key, json!("yes")).await.problem(), (400, "invalid_request"));
}
