//! Guessing passwords, and what is remembered of it.

use std::pin::Pin;
use std::task::{Context, Poll};

use callbook_worker::database::{BatchFuture, Statement};

use super::*;

fn login(username: &str, password: &str) -> Value {
    json!({ "username": username, "password": password, "device": { "name": "", "platform": "" } })
}

impl Service {
    async fn guess(&mut self, username: &str, password: &str, address: &str) -> Answer {
        let body = login(username, password).to_string().into_bytes();
        let from = [("cf-connecting-ip", address)];
        self.send_with(Method::POST, "/login", None, &from, body).await
    }
}

#[tokio::test]
async fn ten_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour() {
    let mut service = Service::new().await;
    for name in ["ann", "nobody", "a b"] {
        for n in 0..10 {
            let answer = service.guess(name, "wrong password", &format!("10.0.0.{n}")).await;
            assert_eq!(answer.problem(), (401, "invalid_credentials"));
        }
        let locked = service.guess(name, "wrong password", "10.0.0.1").await;
        assert_eq!(locked.problem(), (429, "too_many_failures"));
        assert_eq!(locked.retry_after.as_deref(), Some("900"), "{name}");
    }
    // The right password too, and in other letters; another account is another.
    let right = service.guess(" Ann", PASSWORD, "10.0.0.1").await;
    assert_eq!(right.problem(), (429, "too_many_failures"));
    service.guess("bob", PASSWORD, "10.0.0.1").await.ok();
    service.now = service.now.plus_millis(889_000);
    let late = service.guess("ann", PASSWORD, "10.0.0.1").await;
    assert_eq!(late.retry_after.as_deref(), Some("11"));
    assert_eq!(late.problem(), (429, "too_many_failures"));
    service.now = service.now.plus_millis(1_000);
    let later = service.guess("ann", PASSWORD, "10.0.0.1").await;
    assert_eq!(later.problem(), (503, "busy"));
    service.now = service.now.plus_millis(10_000);
    service.guess("ann", PASSWORD, "10.0.0.1").await.ok();

    // A right password lets the count begin anew.
    for _ in 0..2 {
        for _ in 0..9 {
            let answer = service.guess("bob", "wrong password", "10.0.0.1").await;
            assert_eq!(answer.problem(), (401, "invalid_credentials"));
        }
        service.guess("bob", PASSWORD, "10.0.0.1").await.ok();
    }
}

#[tokio::test]
async fn a_current_password_is_guessed_at_as_any() {
    let mut service = Service::new().await;
    let bob = service.log_in("bob").await;
    let change =
        |current: &str| json!({ "current_password": current, "new_password": "another password" });
    for _ in 0..10 {
        let answer = service.post("/me/password", Some(&bob), &change("wrong password")).await;
        assert_eq!(answer.problem(), (401, "invalid_credentials"));
    }
    let right = service.post("/me/password", Some(&bob), &change(PASSWORD)).await;
    assert_eq!(right.problem(), (429, "too_many_failures"));
    let login = service.guess("bob", PASSWORD, "10.0.0.1").await;
    assert_eq!(login.problem(), (429, "too_many_failures"));
    // Who is signed in stays so.
    service.get("/me", &bob).await.ok();
}

#[tokio::test]
async fn a_hundred_wrong_passwords_lock_an_address() {
    let mut service = Service::new().await;
    for n in 0..100 {
        let answer = service.guess(&format!("name-{n}"), "wrong password", "10.0.0.1").await;
        assert_eq!(answer.problem(), (401, "invalid_credentials"));
    }
    let locked = service.guess("ann", PASSWORD, "10.0.0.1").await;
    assert_eq!(locked.problem(), (429, "too_many_failures"));
    service.guess("ann", PASSWORD, "10.0.0.2").await.ok();
}

/// Lets others go on before each batch, as a database that is far away does.
struct Far(Arc<dyn Database>);

struct Yield(bool);

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Database for Far {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        Box::pin(async move {
            Yield(false).await;
            self.0.batch(statements).await
        })
    }
}

/// What a hundred sign-ins at once are answered, sorted.
async fn a_hundred_at_once(password: &str) -> Vec<u16> {
    let bare = Service::bare().with_users().await;
    let far = Arc::new(Far(bare.database.clone()));
    let router = router(app(far, Tables::CURRENT));
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..100_u8 {
        let body = login("ann", password).to_string();
        let mut request = Request::post("/login").body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Moment { now: bare.now, seed: [n; 32] });
        let router = router.clone();
        guesses.spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() });
    }
    let mut statuses = guesses.join_all().await;
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_ten() {
    let wrong = a_hundred_at_once("wrong password").await;
    assert_eq!(wrong, [vec![401; 10], vec![503; 90]].concat());
    // Nobody has failed: they are asked to try again, and not told that they have.
    let right = a_hundred_at_once(PASSWORD).await;
    assert_eq!(right, [vec![200; 10], vec![503; 90]].concat());
}

#[tokio::test]
async fn sign_ins_and_what_admins_do_are_remembered() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    service.now = service.now.plus_millis(1_000);
    service.guess("bob", "wrong password", "10.0.0.1").await;
    service.now = service.now.plus_millis(1_000);
    let bob = service.log_in("bob").await;
    let bob_id = service.get("/me", &bob).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    service.now = service.now.plus_millis(1_000);
    let disable = json!({ "disabled": true }).to_string().into_bytes();
    service.send(Method::PATCH, &format!("/users/{bob_id}"), Some(&ann), disable).await.ok();
    // What is refused is not done.
    let me = service.get("/me", &ann).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let demote = json!({ "role": "member" }).to_string().into_bytes();
    service.send(Method::PATCH, &format!("/users/{me}"), Some(&ann), demote).await.problem();

    assert_eq!(service.get("/audit", &bob).await.problem(), (401, "token_invalid"));
    let audit = service.get("/audit?limit=3", &ann).await.ok();
    let entries = audit["entries"].as_array().unwrap();
    let acts: Vec<&Value> = entries.iter().map(|entry| &entry["act"]).collect();
    assert_eq!(acts, ["user_changed", "signed_in", "sign_in_failed"]);
    assert_eq!(
        (&entries[0]["username"], &entries[0]["subject"], &entries[2]["address"]),
        (&json!("ann"), &json!(bob_id), &json!("10.0.0.1"))
    );
    let next = format!("/audit?cursor={}", audit["cursor"].as_str().unwrap());
    let rest = service.get(&next, &ann).await.ok();
    let acts: Vec<&Value> =
        rest["entries"].as_array().unwrap().iter().map(|entry| &entry["act"]).collect();
    assert_eq!(acts.len(), 4, "{acts:?}");
    assert!(acts.contains(&&json!("set_up")) && acts.contains(&&json!("user_created")));
}
