//! What is forgotten by age, in steps that a Worker has room for.

use std::sync::Mutex;
use std::time::Duration;

use callbook_worker::database::{BatchFuture, Statement};
use callbook_worker::{Kept, STEPS_OF_A_WORKER, Settings};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts statements.
struct Counted(Arc<dyn Database>, Mutex<usize>);

impl Database for Counted {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        *self.1.lock().unwrap() += statements.len();
        self.0.batch(statements)
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_the_rest_stays() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671"), put(2, 0, "911")])).await;
    let name =
        |name: &str| json!([{ "op": "put", "id": id(1), "base_rev": 1, "set": { "name": name } }]);
    service.push(&mut ann, name("Ann")).await;
    let call = |days: u32| {
        json!({ "phone_number": "911", "timestamp": Timestamp::from_millis(START).before(DAY * days),
                "duration": 0, "direction": "missed" })
    };
    let calls = json!({ "calls": [call(100), call(1)] });
    service.post("/sync/calls", Some(&ann), &calls).await.ok();

    let counted = Arc::new(Counted(service.database.clone(), Mutex::new(0)));
    let mut app = app(counted.clone(), Tables::CURRENT);
    let kept = Kept { history: DAY * 30, audit: DAY * 60, calls: Some(DAY * 90) };
    app.settings = Settings { kept, ..app.settings };
    let at = |days: u32| {
        let now = Timestamp::from_millis(START).after(DAY * days);
        move || Moment { now, seed: [0; 32] }
    };
    let forget = async |days: u32| {
        *counted.1.lock().unwrap() = 0;
        let forgotten = app.forget(at(days), STEPS_OF_A_WORKER).await.unwrap();
        assert!(*counted.1.lock().unwrap() <= 50, "what a Worker may run");
        assert!(!forgotten.goes_on);
        let found = (forgotten.revisions, forgotten.calls, forgotten.audit);
        assert_eq!(app.forget(at(days), STEPS_OF_A_WORKER).await.unwrap().revisions, 0);
        found
    };
    assert_eq!(forget(0).await, (0, 1, 0));
    assert_eq!(forget(29).await, (0, 0, 0));
    assert_eq!(forget(31).await, (1, 0, 0));
    assert_eq!(forget(61).await, (0, 0, 4), "set up, two sign-ins, a user made");
    // Tokens go when they have expired, each sixteenth of them on its day.
    let tokens = async |days: std::ops::Range<u32>| {
        let mut tokens = 0;
        for day in days {
            tokens += app.forget(at(day), 1).await.unwrap().tokens;
        }
        tokens
    };
    assert_eq!(tokens(30..46).await, 0);
    assert_eq!(tokens(62..78).await, 2);
    assert_eq!(forget(92).await, (0, 1, 0));
    // Contacts are as they were.
    let ann = service.log_in("ann").await;
    let rows = service.pull(&ann).await;
    assert_eq!(rows.iter().find(|row| row["id"] == json!(id(1))).unwrap()["name"], "Ann");
}
