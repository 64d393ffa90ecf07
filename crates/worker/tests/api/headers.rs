//! What answers say beside their bodies, and what the service says of itself.

use callbook_worker::Settings;

use super::*;

#[tokio::test]
async fn nothing_keeps_an_answer_and_nothing_runs_in_it() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let mut ids = Vec::new();
    for path in ["/me", "/sync/contacts", "/nowhere", "/health"] {
        let answer = service.get(path, &ann).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        ids.push(header("x-request-id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    // A request's name tells nothing of what else came of its chance.
    assert!(!ann.device.replace('-', "").contains(&ids[0][..8]));
}

#[tokio::test]
async fn pages_of_other_origins_call_only_where_they_are_named() {
    let bare = Service::bare();
    let mut app = app(bare.database.clone(), Tables::CURRENT);
    app.settings =
        Settings { origins: vec!["https://book.example".parse().unwrap()], ..app.settings };
    let named = Service { way: Way::InProcess(router(app)), ..Service::bare() };
    for (mut service, origin, allowed) in [
        (named, "https://book.example", true),
        (
            Service::over(bare.database.clone(), bare.database, bare.now),
            "https://book.example",
            false,
        ),
    ] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let answer = service.send_with(Method::OPTIONS, "/login", None, &asked, Vec::new()).await;
        let allows = answer.headers.get("access-control-allow-origin");
        assert_eq!(allows.map(|it| it.to_str().unwrap()), allowed.then_some(origin));
        let other = [("origin", "https://evil.example")];
        let answer = service.send_with(Method::GET, "/health", None, &other, Vec::new()).await;
        let allows = answer.headers.get("access-control-allow-origin");
        assert_ne!(allows.map(|it| it.to_str().unwrap()), Some("https://evil.example"));
        assert_ne!(allows.map(|it| it.to_str().unwrap()), Some("*"));
    }
}

#[tokio::test]
async fn a_quiet_pull_has_no_body() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    for path in ["/sync/contacts", "/sync/calls"] {
        let first = service.get(path, &ann).await;
        let cursor = first.body["cursor"].as_str().unwrap().to_owned();
        let path = format!("{path}?cursor={cursor}");
        let tag = service.get(&path, &ann).await.headers["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let asked = [("if-none-match", known.as_str())];
            let quiet = service.send_with(Method::GET, &path, Some(&ann), &asked, Vec::new()).await;
            assert_eq!((quiet.status, quiet.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
            assert_eq!(quiet.headers["etag"], tag.as_str());
        }
        let call = json!({ "calls": [{ "phone_number": path.len().to_string(), "timestamp": service.now,
                                       "duration": 0, "direction": "missed" }] });
        service.push(&mut ann, json!([put(path.len() as u8, 0, "911")])).await;
        service.post("/sync/calls", Some(&ann), &call).await.ok();
        let asked = [("if-none-match", tag.as_str())];
        let changed = service.send_with(Method::GET, &path, Some(&ann), &asked, Vec::new()).await;
        assert_ne!(changed.headers["etag"], tag.as_str());
        assert_eq!(changed.status, StatusCode::OK);
        // Nobody gets a 304 who would not get the answer.
        let asked = [("if-none-match", changed.headers["etag"].to_str().unwrap())];
        let nobody = service.send_with(Method::GET, &path, None, &asked, Vec::new()).await;
        assert_eq!(nobody.problem(), (401, "token_missing"));
    }
}

#[tokio::test]
async fn the_service_and_the_book_say_how_they_are() {
    let mut service = Service::bare();
    let health = service.send(Method::GET, "/health", None, Vec::new()).await.ok();
    assert_eq!((&health["status"], &health["set_up"]), (&json!("ok"), &json!(false)));
    let mut service = service.with_users().await;
    let health = service.send(Method::GET, "/health", None, Vec::new()).await.ok();
    assert_eq!(health["set_up"], true);
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "911"), put(2, 0, "(415) 555-2671")])).await;
    service.now = service.now.plus_millis(1_000);
    service.push(&mut ann, json!([put(3, 0, "(415) 555-2671")])).await;
    let stats = service.get("/stats", &ann).await.ok();
    assert_eq!(stats["contacts"], json!({ "visible": 2, "hidden": 1, "deleted": 0 }));
    assert_eq!(
        (&stats["users"], &stats["devices"], &stats["calls"]),
        (&json!(2), &json!(2), &json!(0))
    );
    assert_eq!(stats["rev"], 2);
}

#[tokio::test]
async fn devices_tell_how_far_they_follow() {
    let mut service = Service::new().await;
    let login = json!({ "username": "ann", "password": PASSWORD,
                        "device": { "name": "", "platform": "" } });
    let agent = [("user-agent", "Callbook/1.2 (Android 16)")];
    let body = login.to_string().into_bytes();
    let answer = service.send_with(Method::POST, "/login", None, &agent, body).await.ok();
    let mut ann = phone(&answer);
    let bob = service.log_in("bob").await;
    let of = async |service: &mut Service, phone: &Phone| {
        let all = service.get("/devices", phone).await.ok();
        let mut all = all["devices"].as_array().unwrap().clone().into_iter();
        all.find(|device| device["id"] == phone.device).unwrap()
    };
    let new = of(&mut service, &bob).await;
    assert_eq!(
        (&new["pending"], new.get("stale_since"), new.get("last_sync_at")),
        (&json!(0), None, None)
    );
    service.now = service.now.plus_millis(1_000);
    let pushed_at = service.now;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671"), put(2, 0, "911")])).await;
    let behind = of(&mut service, &bob).await;
    assert_eq!((&behind["pending"], &behind["stale_since"]), (&json!(2), &json!(pushed_at)));
    let pushed = of(&mut service, &ann).await;
    assert_eq!(
        (&pushed["version"], &pushed["last_sync_at"], &pushed["username"]),
        (&json!(agent[0].1), &json!(pushed_at), &json!("ann"))
    );
    service.now = service.now.plus_millis(1_000);
    let cursor = service.get("/sync/contacts", &bob).await.ok()["cursor"].clone();
    let path = format!("/sync/contacts?cursor={}", cursor.as_str().unwrap());
    service.get(&path, &bob).await.ok();
    let after = of(&mut service, &bob).await;
    assert_eq!(
        (&after["pending"], after.get("stale_since"), &after["last_sync_at"]),
        (&json!(0), None, &json!(service.now))
    );
}
