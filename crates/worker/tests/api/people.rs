//! Section 8: lists, one contact with all that is known of it, undoing, telling apart.

use super::*;

fn named(n: u8, name: &str, number: &str) -> Value {
    let mut op = put(n, 0, number);
    op["set"] = json!({ "name": name });
    op
}

fn names(answer: &Value) -> Vec<&str> {
    let contacts = answer["contacts"].as_array().unwrap().iter();
    contacts.map(|contact| contact["name"].as_str().unwrap_or("")).collect()
}

/// Ann (1) and Bob (2) have numbers of their own; Ann at home (3) is hidden, for the number is Ann's.
async fn start() -> (Service, Phone) {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let ops = json!([named(1, "Ann Lee", "(415) 555-2671"), named(2, "Émile", "+44 20 7946 0000")]);
    service.push(&mut ann, ops).await;
    service.now = service.now.plus_millis(1_000);
    service.push(&mut ann, json!([named(3, "Ann at home", "+1 415 555 2671")])).await;
    (service, ann)
}

#[tokio::test]
async fn contacts_are_listed_by_name_and_searched() {
    let (mut service, mut ann) = start().await;
    service.push(&mut ann, json!([named(4, "bob", "(415) 555-0004"), put(5, 0, "911")])).await;
    let mut check = async |query: &str, found: &[&str]| {
        let answer = service.get(&format!("/contacts?{query}"), &ann).await.ok();
        assert_eq!(names(&answer), found, "{query}");
    };
    check("", &["", "Ann Lee", "bob", "Émile"]).await;
    check("q=ann", &["Ann Lee"]).await;
    check("q=ANN%20lee", &["Ann Lee"]).await;
    check("q=ann%20bob", &[]).await;
    check("q=%C3%A9mile", &["Émile"]).await; // émile
    check("q=%C3%89MILE", &["Émile"]).await; // ÉMILE
    check("q=415%20555%202671", &["Ann Lee"]).await;
    check("q=(415)555-2671", &["Ann Lee"]).await;
    check("q=020%207946", &["Émile"]).await;
    check("q=911", &[""]).await;
    // Neither the names of fields nor what stands in all of them is found.
    check("q=phones", &[]).await;
    check("q=US", &[]).await;
    check("q=%22", &[]).await;
    check("q='%20OR%201=1--", &[]).await;
    check("state=hidden", &["Ann at home"]).await;
    check("state=deleted", &[]).await;

    let first = service.get("/contacts?limit=3", &ann).await.ok();
    assert_eq!(names(&first), ["", "Ann Lee", "bob"]);
    let next = format!("/contacts?limit=3&cursor={}", first["cursor"].as_str().unwrap());
    let rest = service.get(&next, &ann).await.ok();
    assert_eq!((names(&rest), &rest["cursor"]), (vec!["Émile"], &Value::Null));
    for (query, code) in [
        ("cursor=x", "invalid_cursor"),
        ("limit=0", "invalid_limit"),
        ("state=gone", "invalid_request"),
    ] {
        let answer = service.get(&format!("/contacts?{query}"), &ann).await;
        assert_eq!(answer.problem(), (400, code), "{query}");
    }
}

#[tokio::test]
async fn deleted_contacts_are_listed_the_latest_first() {
    let (mut service, mut ann) = start().await;
    for n in [2, 1] {
        let rev = service.pull(&ann).await.len();
        let delete = json!([{ "op": "delete", "id": id(n), "base_rev": rev }]);
        service.push(&mut ann, delete).await;
    }
    let first = service.get("/contacts?state=deleted&limit=1", &ann).await.ok();
    let path = format!("/contacts?state=deleted&cursor={}", first["cursor"].as_str().unwrap());
    let rest = service.get(&path, &ann).await.ok();
    assert_eq!([names(&first), names(&rest)].concat(), ["Ann Lee", "Émile"]);
    assert_eq!(first["contacts"][0]["deleted_at"], json!(service.now));
}

#[tokio::test]
async fn one_contact_comes_with_all_that_is_known_of_it() {
    let (mut service, mut ann) = start().await;
    let edit = json!([{ "op": "put", "id": id(1), "base_rev": 2, "set": { "name": "Ann Smith" } }]);
    service.push(&mut ann, edit).await;
    let call = |number: &str, second: u32| {
        json!({ "phone_number": number, "timestamp": format!("2026-11-22T09:00:{second:02}.000Z"),
                "duration": 61, "direction": "incoming" })
    };
    let calls = json!({ "region": "US", "calls": [call("415-555-2671", 1), call("415 555 2671", 2), call("911", 3)] });
    service.post("/sync/calls", Some(&ann), &calls).await.ok();
    let one = service.get(&format!("/contacts/{}", id(1)), &ann).await.ok();
    assert_eq!(
        (&one["contact"]["name"], &one["contact"]["state"], &one["contact"]["edit_rev"]),
        (&json!("Ann Smith"), &json!("visible"), &json!(3))
    );
    assert_eq!(one["updated_by_name"], "ann");
    assert_eq!(one["duplicates"].as_array().unwrap().len(), 1);
    let duplicate = &one["duplicates"][0];
    assert_eq!(
        (&duplicate["name"], &duplicate["phones"][0]["number"], &duplicate["lost"]),
        (
            &json!("Ann at home"),
            &json!("+1 415 555 2671"),
            &json!([{ "key": "+14155552671", "owner": id(1) }])
        )
    );
    assert_eq!(
        (
            &one["history"][0]["rev"],
            &one["history"][0]["fields"]["name"],
            &one["history"][0]["username"]
        ),
        (&json!(1), &json!("Ann Lee"), &json!("ann"))
    );
    let seconds: Vec<&Value> =
        one["calls"].as_array().unwrap().iter().map(|call| &call["timestamp"]).collect();
    assert_eq!(seconds, ["2026-11-22T09:00:02.000Z", "2026-11-22T09:00:01.000Z"]);

    let hidden = service.get(&format!("/contacts/{}", id(3)), &ann).await.ok();
    assert_eq!(hidden["contact"]["state"], "hidden");
    for unknown in [id(9).to_string(), "x".to_owned()] {
        let answer = service.get(&format!("/contacts/{unknown}"), &ann).await;
        assert_eq!(answer.problem(), (404, "not_found"));
    }
}

#[tokio::test]
async fn what_a_contact_said_can_be_restored() {
    let (mut service, mut ann) = start().await;
    let edit = json!([{ "op": "put", "id": id(1), "base_rev": 2, "set": { "name": "Ann Smith" },
        "remove": { "phones": ["(415) 555-2671"] } }]);
    service.push(&mut ann, edit).await;
    let names_of = |rows: &[Value]| -> Vec<String> {
        let mut names: Vec<String> =
            rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names_of(&service.pull(&ann).await), ["Ann Smith", "Ann at home", "Émile"]);
    let path = format!("/contacts/{}/restore", id(1));
    let answer = service.post(&path, Some(&ann), &json!({ "rev": 1 })).await.ok();
    assert_eq!(answer, json!({ "rev": 4, "status": "applied", "lost": [] }));
    assert_eq!(names_of(&service.pull(&ann).await), ["Ann Lee", "Émile"]);
    let again = service.post(&path, Some(&ann), &json!({ "rev": 4 })).await.ok();
    assert_eq!(again, json!({ "rev": 4, "status": "unchanged", "lost": [] }));
    // A delete is undone with what it took, by what it said last.
    let delete = json!([{ "op": "delete", "id": id(1), "base_rev": 4 }]);
    let mut bob = service.log_in("bob").await;
    service.push(&mut bob, delete).await;
    assert_eq!(names_of(&service.pull(&ann).await), ["Émile"]);
    service.post(&path, Some(&ann), &json!({ "rev": 4 })).await.ok();
    let one = service.get(&format!("/contacts/{}", id(1)), &ann).await.ok();
    assert_eq!(
        (&one["contact"]["name"], &one["contact"]["state"]),
        (&json!("Ann Lee"), &json!("visible"))
    );
    assert_eq!(one["duplicates"].as_array().unwrap().len(), 1);

    for (rev, problem) in [
        (json!(2), (404, "not_found")),
        (json!(u64::MAX), (404, "not_found")),
        (json!(-1), (400, "invalid_request")),
        (json!("1"), (400, "invalid_request")),
    ] {
        let answer = service.post(&path, Some(&ann), &json!({ "rev": rev })).await;
        assert_eq!(answer.problem(), problem);
    }
    let nobody = format!("/contacts/{}/restore", id(9));
    let answer = service.post(&nobody, Some(&ann), &json!({ "rev": 1 })).await;
    assert_eq!(answer.problem(), (404, "not_found"));
}

#[tokio::test]
async fn two_people_with_one_number_are_told_apart() {
    let (mut service, ann) = start().await;
    let split = async |service: &mut Service, n: u8, key: &str| {
        let path = format!("/contacts/{}/split", id(n));
        service.post(&path, Some(&ann), &json!({ "key": key })).await
    };
    let key = "+14155552671";
    assert_eq!(split(&mut service, 3, key).await.problem(), (409, "not_owner"));
    assert_eq!(split(&mut service, 2, "+442079460000").await.problem(), (409, "no_other_claimant"));
    assert_eq!(split(&mut service, 9, key).await.problem(), (404, "not_found"));
    assert_eq!(split(&mut service, 1, "911").await.problem(), (400, "invalid_request"));
    let answer = split(&mut service, 1, key).await.ok();
    assert_eq!(answer, json!({ "rev": 3, "status": "applied", "lost": [] }));
    let rows = service.pull(&ann).await;
    let of = |n: u8| rows.iter().find(|row| row["id"] == json!(id(n))).unwrap();
    assert_eq!(
        (&of(1)["phones"], &of(3)["phones"][0]["key"]),
        (&Value::Null, &json!(key)),
        "no number is left to it"
    );
}

#[tokio::test]
async fn duplicates_are_listed_with_their_owners_and_numbers_with_their_claimants() {
    let (mut service, mut ann) = start().await;
    service.push(&mut ann, json!([named(4, "ÉMILE", "+44 20 7946 0000"), put(5, 0, "911")])).await;
    let all = service.get("/duplicates", &ann).await.ok();
    assert_eq!(all["hidden"].as_array().unwrap().len(), 2);
    assert_eq!(all["hidden"][0]["lost"], json!([{ "key": "+14155552671", "owner": id(1) }]));
    // One name in other letters is one name.
    assert_eq!(
        all["numbers"],
        json!([{ "key": "+14155552671", "shared": false, "claimants": [
            { "id": id(1), "name": "Ann Lee" }, { "id": id(3), "name": "Ann at home" }] }])
    );
    let first = service.get("/duplicates?limit=1", &ann).await.ok();
    let path = format!("/duplicates?limit=1&cursor={}", first["cursor"].as_str().unwrap());
    let rest = service.get(&path, &ann).await.ok();
    assert_eq!((&rest["hidden"][0]["id"], &rest["numbers"]), (&json!(id(4)), &json!([])));
    assert_eq!((&first["numbers"], &rest["cursor"]), (&all["numbers"], &Value::Null));
}

#[tokio::test]
async fn calls_are_looked_for() {
    let (mut service, ann) = start().await;
    let bob = service.log_in("bob").await;
    let call = |number: &str, second: u32| {
        json!({ "phone_number": number, "timestamp": format!("2026-11-22T09:00:{second:02}.000Z"),
                "duration": 61, "direction": "incoming" })
    };
    let calls = |calls: Value| json!({ "region": "US", "calls": calls });
    let anns = calls(json!([call("415-555-2671", 1), call("911", 3), call("", 5)]));
    service.post("/sync/calls", Some(&ann), &anns).await.ok();
    let bobs = calls(json!([call("+44 20 7946 0000", 2), call("+1 415 555 2671", 4)]));
    service.post("/sync/calls", Some(&bob), &bobs).await.ok();
    let bob_id = service.get("/me", &bob).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let mut check = async |query: &str, seconds: &[u32]| {
        let answer = service.get(&format!("/calls?{query}"), &ann).await.ok();
        let found = answer["calls"].as_array().unwrap().iter().map(|call| &call["timestamp"]);
        let wanted: Vec<String> =
            seconds.iter().map(|second| format!("2026-11-22T09:00:{second:02}.000Z")).collect();
        assert_eq!(found.collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>(), "{query}");
        answer
    };
    let all = check("", &[5, 4, 3, 2, 1]).await;
    assert_eq!(
        (&all["calls"][1]["contact"], &all["calls"][1]["username"]),
        (&json!({ "id": id(1), "name": "Ann Lee" }), &json!("bob"))
    );
    assert_eq!(all["calls"][0]["contact"], Value::Null);
    check(&format!("contact={}", id(1)), &[4, 1]).await;
    check(&format!("contact={}", id(9)), &[]).await;
    check(&format!("user={bob_id}"), &[4, 2]).await;
    check("from=2026-11-22T09:00:02.000Z&to=2026-11-22T09:00:04.000Z", &[3, 2]).await;
    check("q=ann", &[4, 1]).await;
    check("q=4155552671", &[4, 1]).await;
    check("q=911", &[3]).await;
    let first = check("limit=2", &[5, 4]).await;
    let next = format!("limit=2&cursor={}", first["cursor"].as_str().unwrap());
    let second = check(&next, &[3, 2]).await;
    check(&format!("limit=2&cursor={}", second["cursor"].as_str().unwrap()), &[1]).await;
    for query in ["from=yesterday", "contact=x", "user=x", "to=2026-11-22T09:00:02%2B01:00"] {
        let answer = service.get(&format!("/calls?{query}"), &ann).await;
        assert_eq!(answer.problem(), (400, "invalid_request"), "{query}");
    }
}
