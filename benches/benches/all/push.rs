//! The book's bulk path: a phone's first push of 10,000 contacts, through the router and the planner
//! into SQLite, in requests of 250.

use std::cell::{Cell, LazyCell};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use callbook_auth::{PasswordCost, SigningKeys};
use callbook_base::{ContactId, Timestamp};
use callbook_dedup::Tables;
use callbook_worker::database::{BatchFuture, Database, Statement, Value as Bound};
use callbook_worker::sqlite::Sqlite;
use callbook_worker::{App, MIGRATIONS, Moment, Settings, TOMBSTONES_KEPT, router};
use criterion::{Criterion, SamplingMode, Throughput};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::table::Pair;

pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        what: "a contact of a first push of 10,000",
        ours: "push/250 contacts a request",
        instead: "push/one contact a request, of 500",
        of: CONTACTS as f64,
        times: None,
        nanoseconds: Some(12_000.0),
    },
    Pair {
        what: "a claim of the bulk statement",
        ours: "push/json_each, sorted",
        instead: "push/rusqlite, prepared, one by one",
        of: CLAIMS as f64,
        times: None,
        nanoseconds: Some(1_000.0),
    },
];

const CONTACTS: u32 = 10_000;
const AT_ONCE: u32 = callbook_contacts::wire::OPS_AT_ONCE as u32;
const CLAIMS: u32 = 15_000;
pub(crate) const START: i64 = 1_795_341_600_000;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A service on SQLite in memory, and a phone that has signed in.
pub(crate) struct Service {
    pub(crate) router: Router,
    database: Arc<Sqlite>,
    token: String,
    /// How many requests it has had.
    asked: Cell<u64>,
}

impl Service {
    pub(crate) async fn new() -> Self {
        let database = Arc::new(empty());
        Self::over(database.clone(), database).await
    }

    /// The service over a database that does something else with what reaches it.
    async fn over(database: Arc<Sqlite>, seen: Arc<dyn Database>) -> Self {
        let app = App {
            database: seen,
            tables: Tables::CURRENT,
            tombstones_kept: TOMBSTONES_KEPT,
            keys: SigningKeys::new("a secret of more than thirty-two bytes", None).unwrap(),
            setup_token: Some("let me in".into()),
            password_cost: PasswordCost::SIMULATED,
            settings: Settings::default(),
        };
        let asked = Cell::new(0);
        let mut service = Self { router: router(app), database, token: String::new(), asked };
        let setup = json!({ "setup_token": "let me in", "username": "ann", "password": PASSWORD });
        service.post("/setup", setup.to_string()).await;
        let device = json!({ "name": "Pixel 9", "platform": "android 16" });
        let login = json!({ "username": "ann", "password": PASSWORD, "device": device });
        let answer: Value =
            serde_json::from_slice(&service.post("/login", login.to_string()).await).unwrap();
        service.token = answer["access_token"].as_str().unwrap().to_owned();
        service
    }

    async fn post(&self, path: &str, body: String) -> Vec<u8> {
        let asked: u64 = self.asked.get() + 1;
        self.asked.set(asked);
        // Two requests with the same chance would make the same ids.
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&asked.to_le_bytes());
        let request = Request::post(path)
            .extension(Moment { now: Timestamp::from_millis(START), seed })
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let ok = response.status().is_success();
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        assert!(ok, "{}", String::from_utf8_lossy(&bytes));
        bytes
    }
}

/// The requests of a first push of contacts with a name, an address and one or two numbers.
fn requests(contacts: u32, at_a_time: u32) -> Vec<String> {
    let op = |n: u32| {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        let at = Timestamp::from_millis(START - 1_000 * i64::from(n));
        let mut phones =
            vec![json!({ "number": format!("+49 30 {:04} {:04}", n / 3, n), "type": "mobile" })];
        if n.is_multiple_of(2) {
            phones.push(json!({ "number": format!("(415) 555-{:04}", n / 4), "region": "US" }));
        }
        json!({
            "op_seq": n + 1, "op_id": format!("op-{n}"), "op": "put", "id": ContactId::new(at, bytes),
            "base_rev": 0, "created_at": at,
            "set": { "name": format!("Customer number {n}"), "organization": "Some company" },
            "add": { "phones": phones, "emails": [{ "value": format!("customer{n}@example.org") }] },
        })
    };
    let request = |first: u32| {
        let ops: Vec<Value> = (first..(first + at_a_time).min(contacts)).map(op).collect();
        let at = Timestamp::from_millis(START);
        json!({ "region": "DE", "sent_at": at, "as_of": at, "complete": first + at_a_time >= contacts, "ops": ops })
            .to_string()
    };
    (0..contacts).step_by(at_a_time as usize).map(request).collect()
}

/// How long the requests take, without the making of the service and of the bodies.
fn push(runtime: &Runtime, iterations: u64, requests: &[String]) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        let service = runtime.block_on(Service::new());
        let bodies = requests.to_vec();
        let started = Instant::now();
        runtime.block_on(async {
            for body in bodies {
                service.post("/sync/contacts", body).await;
            }
        });
        total += started.elapsed();
    }
    total
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("push");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(u64::from(CONTACTS)));
    let bodies = requests(CONTACTS, AT_ONCE);
    group.bench_function("250 contacts a request", |bench| {
        bench.iter_custom(|iterations| push(&runtime, iterations, &bodies));
    });
    // A twentieth of them, counted twenty times: it is slow.
    let single = requests(CONTACTS / 20, 1);
    group.bench_function("one contact a request, of 500", |bench| {
        bench.iter_custom(|iterations| push(&runtime, iterations, &single) * 20);
    });

    group.throughput(Throughput::Elements(u64::from(CLAIMS)));
    let claims = LazyCell::new(|| runtime.block_on(claims()));
    group.bench_function("json_each, sorted", |bench| {
        let bulk = |_| {
            let database = empty();
            let statements = claims.clone();
            let started = Instant::now();
            runtime.block_on(database.batch(statements)).unwrap();
            started.elapsed()
        };
        bench.iter_custom(|iterations| (0..iterations).map(bulk).sum());
    });
    group.bench_function("rusqlite, prepared, one by one", |bench| {
        let rows: Vec<(String, i64, String)> = claims
            .iter()
            .flat_map(|claims| serde_json::from_str::<Vec<String>>(bound(claims)).unwrap())
            .map(|row| (row[52..].to_owned(), row[36..52].parse().unwrap(), row[..36].to_owned()))
            .collect();
        assert_eq!(rows.len(), CLAIMS as usize);
        bench.iter_custom(|iterations| (0..iterations).map(|_| one_by_one(&rows)).sum());
    });
    group.finish();
}

fn empty() -> Sqlite {
    let database = Sqlite::in_memory().unwrap();
    database.migrate(MIGRATIONS, Timestamp::from_millis(START)).unwrap();
    database
}

/// Keeps the statements that write claims.
struct Recorder {
    inner: Arc<Sqlite>,
    claims: Mutex<Vec<Statement>>,
}

impl Database for Recorder {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let claims = statements.iter().filter(|statement| statement.sql.contains("INTO claims"));
        self.claims.lock().unwrap().extend(claims.cloned());
        self.inner.batch(statements)
    }
}

/// The bulk statements of a first push that write its claims.
async fn claims() -> Vec<Statement> {
    let inner = Arc::new(empty());
    let recorder = Arc::new(Recorder { inner: inner.clone(), claims: Mutex::default() });
    let service = Service::over(inner, recorder.clone()).await;
    for body in requests(CONTACTS, AT_ONCE) {
        service.post("/sync/contacts", body).await;
    }
    recorder.claims.lock().unwrap().clone()
}

fn bound(statement: &Statement) -> &str {
    match &statement.params[0] {
        Bound::Text(text) => text,
        _ => panic!("rows are bound as a text"),
    }
}

fn one_by_one(claims: &[(String, i64, String)]) -> Duration {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    for (_, sql) in MIGRATIONS {
        connection.execute_batch(sql).unwrap();
    }
    let started = Instant::now();
    let transaction = connection.transaction().unwrap();
    let mut insert = transaction
        .prepare("INSERT INTO claims (key, created_at, contact) VALUES (?1, ?2, ?3)")
        .unwrap();
    for claim in claims {
        insert.execute((&claim.0, claim.1, &claim.2)).unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
    started.elapsed()
}

/// What no benchmark tells.
pub(crate) fn facts() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let rows = runtime.block_on(async {
        let service = Service::new().await;
        for body in requests(CONTACTS, AT_ONCE) {
            service.post("/sync/contacts", body).await;
        }
        let count = Statement::new(
            "SELECT (SELECT count(*) FROM contacts) AS contacts, (SELECT count(*) FROM claims) AS claims",
        );
        let rows = service.database.batch(vec![count]).await.unwrap().remove(0);
        let row = rows.first().unwrap();
        (row.count("contacts").unwrap(), row.count("claims").unwrap())
    });
    // A contact is a row and two index entries; each push writes the book's row and the device's.
    let written = (3 * rows.0 + rows.1 + 2 * u64::from(CONTACTS / AT_ONCE)) as f64;
    println!("rows written for a contact of the first push: {:.2}", written / rows.0 as f64);
}
