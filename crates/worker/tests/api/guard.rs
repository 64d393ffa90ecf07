//! Another's write between the read and the write of a push.

use std::sync::Mutex;

use callbook_worker::database::{BatchFuture, Statement};

use super::*;

/// Lets another's write in before each of so many writes of pushes, and counts statements.
struct Contended {
    inner: Arc<dyn Database>,
    intruder: &'static [&'static str],
    intruders: Mutex<u32>,
    most_statements: Mutex<usize>,
}

impl Contended {
    /// A service on such a database, where nobody intrudes yet.
    async fn service(intruder: &'static [&'static str]) -> (Service, Arc<Self>) {
        let bare = Service::bare();
        let contended = Arc::new(Self {
            inner: bare.database.clone(),
            intruder,
            intruders: Mutex::new(0),
            most_statements: Mutex::new(0),
        });
        let service = Service::over(bare.database, contended.clone(), bare.now);
        (service.with_users().await, contended)
    }
}

impl Database for Contended {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let mut most = self.most_statements.lock().unwrap();
        *most = (*most).max(statements.len());
        let mut intruders = self.intruders.lock().unwrap();
        if *intruders > 0 && statements[0].sql.starts_with("UPDATE") {
            *intruders -= 1;
            drop(self.inner.batch(self.intruder.iter().map(|sql| Statement::new(sql)).collect())); // it ran when it was called
        }
        self.inner.batch(statements)
    }
}

async fn check(
    intruder: &'static [&'static str],
    intruders: u32,
    expected: Result<u64, (u16, &str)>,
) {
    let (mut service, contended) = Contended::service(intruder).await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    *contended.intruders.lock().unwrap() = intruders;
    // All kinds of writes at once: an edit, a new contact, a hidden one retired, claims that end.
    let delete = json!({ "op": "delete", "id": id(1), "base_rev": 1 });
    let body =
        service.push_body(&ann, json!([put(2, 0, "415 555 2671"), delete, put(3, 0, "911")]));
    let answer = service.post("/sync/contacts", Some(&ann), &body).await;
    match expected {
        Ok(rev) => assert_eq!(answer.ok()["rev"], rev),
        Err(problem) => {
            assert_eq!(answer.problem(), problem);
            if problem.0 == 401 {
                return;
            }
            assert!(answer.retry_after.unwrap().parse::<u32>().unwrap() >= 1);
            let acked = service.get("/me", &ann).await.ok()["device"]["acked_seq"].clone();
            assert_eq!(acked, 1, "nothing of it is done");
            assert_eq!(service.pull(&ann).await.len(), 1);
        }
    }
    assert!(*contended.most_statements.lock().unwrap() <= 8, "a read and a write make 16 at most");
}

#[tokio::test]
async fn a_push_plans_again_when_another_came_between() {
    let push: &[&str] = &["UPDATE book SET rev = rev + 1"];
    check(push, 0, Ok(2)).await;
    check(push, 1, Ok(3)).await;
    check(push, 2, Ok(4)).await;
    check(push, 3, Err((503, "busy"))).await;
    // A late copy of a complete push without ops moves the floor alone.
    let told_all: &[&str] = &["UPDATE devices SET floor = floor + 1"];
    check(told_all, 2, Ok(2)).await;
    check(told_all, 3, Err((503, "busy"))).await;
    // The book is put back from a backup of this very rev, whose contacts may be others.
    let restored: &[&str] = &["UPDATE book SET epoch = epoch || 'x'"];
    check(restored, 2, Ok(2)).await;
    check(restored, 3, Err((503, "busy"))).await;
    // The device is ended meanwhile.
    let ended: &[&str] = &["UPDATE devices SET ended_at = 1"];
    check(ended, 1, Err((401, "token_invalid"))).await;
}

/// A put that changes nothing, and a delete of its contact that comes between: the put revives it.
#[tokio::test]
async fn a_push_that_changes_nothing_has_seen_the_book_it_speaks_of() {
    let delete: &[&str] = &[
        "UPDATE book SET rev = rev + 1",
        "UPDATE contacts SET state = 2, took = '[]', deleted_at = 1",
    ];
    let (mut service, contended) = Contended::service(delete).await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "911")])).await;
    *contended.intruders.lock().unwrap() = 1;
    let answer = service.push(&mut ann, json!([put(1, 1, "911")])).await;
    assert_eq!((&answer["results"][0]["status"], &answer["rev"]), (&json!("applied"), &json!(3)));
}

/// The device is ended between the read and the write: its mark is not made.
#[tokio::test]
async fn a_revoked_device_marks_no_number() {
    let ended: &[&str] = &["UPDATE devices SET ended_at = 1"];
    let (mut service, contended) = Contended::service(ended).await;
    let ann = service.log_in("ann").await;
    *contended.intruders.lock().unwrap() = 1;
    let body = br#"{"shared":true}"#.to_vec();
    let answer = service.send(Method::PUT, "/numbers/%2B14155552671", Some(&ann), body).await;
    assert_eq!(answer.problem(), (401, "token_invalid"));
    let marks = vec![Statement::new("SELECT key FROM shared_keys")];
    assert!(service.database.batch(marks).await.unwrap()[0].is_empty());
}
