//! A release that runs before its migrations have.

use super::*;

/// A book with so many migrations lets people in: the later ones are asked for by what needs them.
const LETS_IN: usize = 8;

/// Whatever is asked of a book that lacks migrations: what needs them says so, and does nothing.
#[tokio::test]
async fn a_database_without_its_migrations_is_told_and_unharmed() {
    for had in 0..LETS_IN {
        let now = Timestamp::from_millis(START);
        let database = Arc::new(Sqlite::in_memory().unwrap());
        database.migrate(&MIGRATIONS[..had], now).unwrap();
        let mut service = Service::over(database.clone(), database.clone(), now);
        // Signed with the same keys: whoever has it was let in before the update.
        let mut other = Service::new().await;
        let phone = other.log_in("bob").await;
        let mut behind = 0;
        let push = json!({ "sent_at": "2026-11-22T10:00:00.000Z", "ops": [] });
        let calls = json!({ "calls": [] });
        let login = json!({ "username": "ann", "password": PASSWORD,
            "device": { "name": "x", "platform": "x" } });
        for (method, path, body) in [
            (Method::GET, "/sync/contacts", json!(null)),
            (Method::POST, "/sync/contacts", push),
            (Method::GET, "/sync/calls", json!(null)),
            (Method::POST, "/sync/calls", calls),
            (Method::PUT, "/numbers/%2B14155552671", json!({ "shared": true })),
            (Method::POST, "/login", login),
            (Method::GET, "/me", json!(null)),
        ] {
            let answer = service.send(method, path, Some(&phone), body.to_string().into()).await;
            match answer.problem() {
                (503, "database_behind") => {
                    behind += 1;
                    assert_eq!(answer.retry_after.as_deref(), Some("60"), "{path}");
                }
                (status, code) => assert_eq!((status, code.is_empty()), (401, false), "{path}"),
            }
        }
        assert!(behind > 0, "{had}");
        database.migrate(MIGRATIONS, now).unwrap();
        let mut service = service.with_users().await;
        let ann = service.log_in("ann").await;
        service.get("/sync/contacts", &ann).await.ok();
    }
}

/// Contacts that were written before the column that lists are sorted by.
#[tokio::test]
async fn a_book_of_before_sorted_names_takes_contacts_when_it_has_them() {
    let now = Timestamp::from_millis(START);
    let database = Arc::new(Sqlite::in_memory().unwrap());
    database.migrate(&MIGRATIONS[..LETS_IN], now).unwrap();
    let service = Service::over(database.clone(), database.clone(), now);
    let mut service = service.with_users().await;
    let mut bob = service.log_in("bob").await;
    let older = Statement::new(
        "INSERT INTO contacts (id, created_at, rev, state, keys, asleep, took, edit_rev, edit_at,
           edit_user, edit_device, fields, size)
         SELECT ?1 || n.key, 1, 1, 0, '[]', '[]', '[]', 1, 1, ?2, ?2, n.value, length(n.value)
         FROM json_each(?3) AS n",
    );
    let fields = json!([{ "name": "Zoe", "organization": "Acme" }, { "organization": "BELL" }, {}]);
    let older = older
        .bind("01890a5d-ac96-774b-bcce-b302099a805")
        .bind(id(9).to_string())
        .bind(fields.to_string());
    database.batch(vec![older]).await.unwrap();
    let before = dump(&service).await;

    let mut op = put(1, 0, "+14155552671");
    op["set"] = json!({ "name": "Ann" });
    let push = service.push_body(&bob, json!([op]));
    let answer = service.post("/sync/contacts", Some(&bob), &push).await;
    assert_eq!(answer.problem(), (503, "database_behind"));
    assert_eq!(service.get("/contacts", &bob).await.problem(), (503, "database_behind"));
    assert!(dump(&service).await == before);

    database.migrate(MIGRATIONS, now).unwrap();
    service.push(&mut bob, json!([op])).await;
    let listed = service.get("/contacts", &bob).await.ok();
    let listed = listed["contacts"].as_array().unwrap().iter();
    let names: Vec<_> = listed.map(|it| (&it["name"], &it["organization"])).collect();
    let expected = [("", ""), ("Ann", ""), ("", "BELL"), ("Zoe", "Acme")];
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let expected = expected.map(|(name, organization)| (text(name), text(organization)));
    assert_eq!(names, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
}
