//! A release that runs before its migrations have.

use super::*;

/// Whatever is asked of a book that lacks migrations: what needs them says so, and does nothing.
#[tokio::test]
async fn a_database_without_its_migrations_is_told_and_unharmed() {
    for had in 0..MIGRATIONS.len() {
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
