//! A book whose keys other tables made, opened by a service with its own.

use std::collections::BTreeMap;

use callbook_dedup::number_key;
use callbook_worker::Rekeying;
use callbook_worker::database::{BatchFuture, DatabaseError, Rows, Statement};

use super::*;

/// An older release: it knew no extensions, and no numbers of Italy.
const OLDER: Tables = Tables {
    version: "older",
    key: |text, region| {
        let number = text.split(" ext").next().unwrap_or_default();
        number_key(number, region).filter(|key| !key.to_string().starts_with("+39"))
    },
};

/// Contacts of all fates: one switchboard with extensions, Italian numbers held twice, and others.
fn ops(from: u32, to: u32) -> Value {
    let op = |n: u32| {
        let number = match n % 4 {
            0 => format!("+1 415 555 0{:03} ext. {n}", n / 40),
            1 => format!("+39 02 3661 {:04}", n / 8),
            _ => format!("+1 212 555 {n:04}"),
        };
        let id = ContactId::new(Timestamp::from_millis(START + i64::from(n)), [7; 10]);
        json!({ "op": "put", "id": id, "base_rev": 0, "add": { "phones": [{ "number": number }] } })
    };
    (from..to).map(op).collect()
}

impl Service {
    /// The same book, opened by a service with other tables.
    fn reopened(&self, tables: Tables) -> Self {
        let again =
            Self::with_tables(self.database.clone(), self.database.clone(), self.now, tables);
        Self { requests: self.requests + 1_000, ..again }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, seed: [3; 32] }
    }

    async fn rekey(&self, tables: Tables) -> usize {
        let app = app(self.database.clone(), tables);
        let mut steps = 0;
        while app.rekey(self.moment()).await.unwrap() != Rekeying::Done {
            steps += 1;
        }
        steps
    }
}

async fn ask(database: &Arc<dyn Database>, sql: &'static str) -> Rows {
    database.batch(vec![Statement::new(sql)]).await.unwrap().remove(0)
}

/// A book of two phones under some tables: 240 contacts, of them one deleted, and 600 calls.
async fn written_under(tables: Tables) -> (Service, Phone) {
    let bare = Service::bare();
    let mut service = bare.reopened(tables).with_users().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, ops(0, 240)).await;
    let gone = json!([{ "op": "delete", "id": ops(8, 9)[0]["id"], "base_rev": 1 }]);
    service.push(&mut ann, gone).await;
    for part in [0..300, 300..600] {
        let call = |n: u32| {
            let number = if n.is_multiple_of(2) { "02 3661 0001" } else { "+1 415 555 2671" };
            let at = Timestamp::from_millis(START + i64::from(n));
            json!({ "phone_number": number, "timestamp": at, "duration": 1, "direction": "incoming" })
        };
        let calls: Value = part.map(call).collect();
        service
            .post("/sync/calls", Some(&ann), &json!({ "region": "IT", "calls": calls }))
            .await
            .ok();
    }
    (service, ann)
}

/// What phones show of a book, without the revs, which tell how it came about.
async fn shown(service: &mut Service, phone: &Phone) -> BTreeMap<String, Value> {
    let rows = service.pull(phone).await.into_iter().map(|mut row| {
        row.as_object_mut().unwrap().remove("rev");
        (row["id"].as_str().unwrap().to_owned(), row)
    });
    rows.collect()
}

async fn calls(service: &mut Service, phone: &Phone) -> Vec<(Value, Value)> {
    let page = service.get("/sync/calls?limit=2000", phone).await.ok();
    let row = |call: &Value| (call["id"].clone(), call["key"].clone());
    let mut rows: Vec<_> = page["calls"].as_array().unwrap().iter().map(row).collect();
    rows.sort_by_key(|(id, _)| id.to_string());
    rows
}

/// The book is whole: claims are those of the live, one owner a key, and the digest is right.
async fn is_whole(service: &mut Service, phone: &Phone) {
    let wrong = ask(
        &service.database,
        "WITH live AS (SELECT c.id, c.created_at, k.value AS key, k.value IN (SELECT value FROM json_each(c.asleep)) AS asleep
                       FROM contacts AS c, json_each(c.keys) AS k WHERE c.state != 2),
              ranked AS (SELECT *, row_number() OVER (PARTITION BY key ORDER BY created_at, id) AS place FROM live)
         SELECT (SELECT count(*) FROM ranked WHERE (place = 1) = asleep) AS owners,
                (SELECT count(*) FROM (SELECT key, created_at, id FROM live EXCEPT SELECT * FROM claims)) AS missing,
                (SELECT count(*) FROM (SELECT * FROM claims EXCEPT SELECT key, created_at, id FROM live)) AS stale",
    )
    .await;
    let row = wrong.first().unwrap();
    let counts = ["owners", "missing", "stale"].map(|column| row.count(column).unwrap());
    assert_eq!(counts, [0, 0, 0]);
    let mut digest = callbook_contacts::Digest::default();
    let answer = service.get("/sync/contacts?limit=2000", phone).await.ok();
    for row in answer["contacts"].as_array().unwrap() {
        let rev = callbook_base::Rev(row["rev"].as_u64().unwrap());
        digest = digest.with(row["id"].as_str().unwrap().parse().unwrap(), rev);
    }
    assert_eq!(answer["digest"], digest.to_string());
}

#[tokio::test]
async fn a_book_gets_the_keys_owners_and_rows_of_the_new_tables() {
    let (mut expected, anew) = written_under(Tables::CURRENT).await;
    let (mut older, phone) = written_under(OLDER).await;
    assert_ne!(shown(&mut older, &phone).await, shown(&mut expected, &anew).await);
    let cursor = older.get("/sync/contacts?limit=2000", &phone).await.ok()["cursor"].clone();
    let calls_cursor = older.get("/sync/calls?limit=2000", &phone).await.ok()["cursor"].clone();
    let before = shown(&mut older, &phone).await;

    let mut service = older.reopened(Tables::CURRENT);
    assert_eq!(service.rekey(Tables::CURRENT).await, 3, "steps of 100 contacts and 500 calls");
    is_whole(&mut service, &phone).await;
    let after = shown(&mut service, &phone).await;
    assert_eq!(after, shown(&mut expected, &anew).await);
    assert_eq!(calls(&mut service, &phone).await, calls(&mut expected, &anew).await);

    // A phone that has all of it pulls what changed, and nothing else.
    let path = format!("/sync/contacts?limit=2000&cursor={}", cursor.as_str().unwrap());
    let pulled = service.get(&path, &phone).await.ok()["contacts"].clone();
    let pulled = pulled.as_array().unwrap();
    let changed = after.iter().filter(|(id, row)| before.get(*id) != Some(row)).count();
    let visible = pulled.iter().filter(|row| row.get("phones").is_some()).count();
    assert_eq!(visible, changed);
    assert!(pulled.len() < 200 && visible > 50, "{visible} of {}", pulled.len());
    let path = format!("/sync/calls?limit=2000&cursor={}", calls_cursor.as_str().unwrap());
    let pulled = service.get(&path, &phone).await.ok()["calls"].as_array().unwrap().len();
    assert_eq!(pulled, 300);

    // It is no edit, and is done once.
    let history = ask(&service.database, "SELECT count(*) AS n FROM history").await;
    assert_eq!(history.first().unwrap().count("n").unwrap(), 0);
    assert_eq!(service.rekey(Tables::CURRENT).await, 0);
    // And back.
    let mut back = service.reopened(OLDER);
    assert_eq!(back.rekey(OLDER).await, 3);
    assert_eq!(shown(&mut back, &phone).await, before);
}

#[tokio::test]
async fn a_step_that_was_cut_off_is_taken_again() {
    let (mut expected, anew) = written_under(Tables::CURRENT).await;
    let (older, phone) = written_under(OLDER).await;
    let mut service = older.reopened(Tables::CURRENT);
    let database = Arc::new(Failing { inner: service.database.clone(), batches: 0.into() });
    let failing = app(database, Tables::CURRENT);
    let mut failed = 0;
    for _ in 0..50 {
        match failing.rekey(service.moment()).await {
            Ok(Rekeying::Done) => break,
            Ok(Rekeying::GoesOn { .. }) => {}
            Err(_) => failed += 1,
        }
        is_whole(&mut service, &phone).await;
    }
    assert!(failed >= 3, "{failed}");
    assert_eq!(service.rekey(Tables::CURRENT).await, 0, "it is done");
    assert_eq!(shown(&mut service, &phone).await, shown(&mut expected, &anew).await);
}

/// Of five batches fails one before it runs, and loses the answer of another.
struct Failing {
    inner: Arc<dyn Database>,
    batches: std::sync::atomic::AtomicUsize,
}

impl Database for Failing {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let lost = || DatabaseError::new("D1_ERROR: Network connection lost.");
        match self.batches.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 5 {
            1 => Box::pin(async move { Err(lost()) }),
            4 => Box::pin(async move { self.inner.batch(statements).await.and(Err(lost())) }),
            _ => self.inner.batch(statements),
        }
    }
}

#[tokio::test]
async fn pushes_and_pulls_take_the_steps_of_a_host_that_opens_nothing() {
    let (mut expected, mut anew) = written_under(Tables::CURRENT).await;
    let (older, mut phone) = written_under(OLDER).await;
    let mut service = older.reopened(Tables::CURRENT);
    let call = json!({ "phone_number": "02 3661 0001", "timestamp": Timestamp::from_millis(START - 1),
                       "duration": 1, "direction": "missed" });
    let call = json!({ "region": "IT", "calls": [call] });
    for (service, phone) in [(&mut expected, &mut anew), (&mut service, &mut phone)] {
        // A call first: its write finds that nobody has begun.
        assert_eq!(service.post("/sync/calls", Some(phone), &call).await.ok()["accepted"], 1);
        for n in 0..6 {
            service.push(phone, ops(240 + n, 241 + n)).await;
            is_whole(service, phone).await;
        }
    }
    assert_eq!(service.rekey(Tables::CURRENT).await, 0, "the requests have done it");
    assert_eq!(shown(&mut service, &phone).await, shown(&mut expected, &anew).await);
    assert_eq!(calls(&mut service, &phone).await, calls(&mut expected, &anew).await);
}

/// Lets another's write in before each write, and counts statements.
struct Contended {
    inner: Arc<dyn Database>,
    statements: std::sync::atomic::AtomicUsize,
}

impl Database for Contended {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        self.statements.fetch_add(statements.len(), std::sync::atomic::Ordering::Relaxed);
        if statements[0].sql.starts_with("UPDATE") {
            let push = Statement::new("UPDATE book SET rev = rev + 1");
            drop(self.inner.batch(vec![push])); // it ran when it was called
        }
        self.inner.batch(statements)
    }
}

/// D1 lets a request run fifty statements: a push that takes a step and finds no peace gives up early.
#[tokio::test]
async fn a_push_that_takes_a_step_has_fifty_statements() {
    let (older, phone) = written_under(OLDER).await;
    let seen = Arc::new(Contended { inner: older.database.clone(), statements: 0.into() });
    let mut service =
        Service::with_tables(older.database.clone(), seen.clone(), older.now, Tables::CURRENT);
    // All kinds of writes at once: an edit, a new contact, a delete.
    let mut list = ops(240, 242);
    list[0]["id"] = ops(3, 4)[0]["id"].clone();
    let delete = json!({ "op": "delete", "id": ops(9, 10)[0]["id"], "base_rev": 1 });
    list.as_array_mut().unwrap().push(delete);
    let body = service.push_body(&phone, list);
    let answer = service.post("/sync/contacts", Some(&phone), &body).await;
    assert_eq!(answer.problem(), (503, "busy"));
    let statements = seen.statements.load(std::sync::atomic::Ordering::Relaxed);
    assert!((25..=50).contains(&statements), "{statements}");
}
