//! Another's write between the read and the write of a push.

use std::sync::Mutex;

use callbook_worker::database::{BatchFuture, Statement};

use super::*;

/// Lets another push of the book's rev in before each of so many writes, and counts statements.
struct Contended {
    inner: Arc<Sqlite>,
    intruders: Mutex<u32>,
    most_statements: Mutex<usize>,
}

impl Database for Contended {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let mut most = self.most_statements.lock().unwrap();
        *most = (*most).max(statements.len());
        let mut intruders = self.intruders.lock().unwrap();
        if *intruders > 0 && statements[0].sql.starts_with("UPDATE book SET rev") {
            *intruders -= 1;
            let other = Statement::new("UPDATE book SET rev = rev + 1");
            drop(self.inner.batch(vec![other])); // it ran when it was called
        }
        self.inner.batch(statements)
    }
}

async fn check(intruders: u32, expected: Result<u64, (u16, &str)>) {
    let bare = Service::bare();
    let contended = Arc::new(Contended {
        inner: bare.database.clone(),
        intruders: Mutex::new(0),
        most_statements: Mutex::new(0),
    });
    let mut service = Service::over(bare.database, contended.clone(), bare.now).with_users().await;
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
    check(0, Ok(2)).await;
    check(1, Ok(3)).await;
    check(2, Ok(4)).await;
    check(3, Err((503, "busy"))).await;
}
