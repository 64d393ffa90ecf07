//! The whole protocol over HTTP, on the real SQL: in process and without a network, or against the server
//! that `CALLBOOK_WORKERD` names, which is Cloudflare's runtime with D1 when `test-workerd` runs this. Tests
//! that put something between the service and its database run the service here, on that server's D1.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

mod bad_input;
mod documented;
mod files;
mod guard;
mod headers;
mod hostile;
mod lockout;
mod migrations;
mod people;
mod purge;
mod rekey;
#[path = "../remote/mod.rs"]
mod remote;
mod restore;
mod retention;
mod sign_in;
mod sync;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use callbook_auth::{PasswordCost, SigningKeys};
use callbook_base::{ContactId, Timestamp};
use callbook_dedup::Tables;
use callbook_worker::database::{Database, Statement, Value as Bound};
use callbook_worker::sqlite::Sqlite;
use callbook_worker::{App, ClientAddress, MIGRATIONS, Moment, Settings, TOMBSTONES_KEPT, router};
use http_body_util::BodyExt;
use remote::Remote;
use serde_json::{Value, json};
use tower::ServiceExt;

/// 2026-11-22T10:00:00Z.
const START: i64 = 1_795_341_600_000;

const PASSWORD: &str = "correct horse battery";

/// A new book behind the real router, with a clock that a test moves.
struct Service {
    way: Way,
    database: Arc<dyn Database>,
    now: Timestamp,
    requests: u64,
}

/// How requests reach it.
enum Way {
    InProcess(Router),
    Http(Arc<Remote>),
}

/// An answer, read.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    content_type: String,
    retry_after: Option<String>,
    /// Null if it is no JSON.
    body: Value,
    text: String,
}

impl Answer {
    #[track_caller]
    fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.body
    }

    /// The status and the code of a problem, which has all its members.
    #[track_caller]
    fn problem(&self) -> (u16, &str) {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status.as_u16());
        let asks_who = self.headers.contains_key(header::WWW_AUTHENTICATE);
        assert_eq!(asks_who, self.status == StatusCode::UNAUTHORIZED);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}

/// Who a request comes from.
#[derive(Clone)]
struct Phone {
    access: String,
    refresh: String,
    device: String,
    op_seq: u64,
}

impl Service {
    /// A new server, before its set-up.
    fn bare() -> Self {
        let now = Timestamp::from_millis(START);
        if let Some(remote) = Remote::new_book() {
            return Self { way: Way::Http(remote.clone()), database: remote, now, requests: 0 };
        }
        let database = Sqlite::in_memory().unwrap();
        database.migrate(MIGRATIONS, now).unwrap();
        let database = Arc::new(database);
        Self::over(database.clone(), database, now)
    }

    /// The service, in process, over a database that does something else with what reaches it.
    fn over(database: Arc<dyn Database>, seen: Arc<dyn Database>, now: Timestamp) -> Self {
        Self::with_tables(database, seen, now, Tables::CURRENT)
    }

    fn with_tables(
        database: Arc<dyn Database>,
        seen: Arc<dyn Database>,
        now: Timestamp,
        tables: Tables,
    ) -> Self {
        Self { way: Way::InProcess(router(app(seen, tables))), database, now, requests: 0 }
    }

    /// A server with the users `ann`, an admin, and `bob`, a member.
    async fn new() -> Self {
        Self::bare().with_users().await
    }

    async fn with_users(self) -> Self {
        let mut service = self;
        let setup = json!({ "setup_token": "let me in", "username": "ann", "password": PASSWORD });
        service.post("/setup", None, &setup).await.ok();
        let ann = service.log_in("ann").await;
        let bob = json!({ "username": "bob", "password": PASSWORD, "role": "member" });
        service.post("/users", Some(&ann), &bob).await.ok();
        service
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        phone: Option<&Phone>,
        body: Vec<u8>,
    ) -> Answer {
        self.send_with(method, path, phone, &[], body).await
    }

    /// Sends a request with more headers.
    async fn send_with(
        &mut self,
        method: Method,
        path: &str,
        phone: Option<&Phone>,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.requests += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.requests.to_le_bytes());
        let moment = Moment { now: self.now, seed };
        let mut request = Request::builder().method(&method).uri(path).body(body).unwrap();
        if let Some(phone) = phone {
            let bearer = format!("Bearer {}", phone.access).parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (parts, bytes) = match &self.way {
            Way::Http(remote) => remote.send(request, moment).into_parts(),
            Way::InProcess(router) => {
                request.extensions_mut().insert(moment);
                // As Cloudflare tells it; here the host is the test.
                let address = request.headers().get("cf-connecting-ip");
                if let Some(address) = address.map(|it| it.to_str().unwrap().parse().unwrap()) {
                    request.extensions_mut().insert(ClientAddress(address));
                }
                let response = router.clone().oneshot(request.map(Body::from)).await.unwrap();
                let (parts, body) = response.into_parts();
                (parts, body.collect().await.unwrap().to_bytes().to_vec())
            }
        };
        let header = |name| parts.headers.get(name).map(|it| it.to_str().unwrap().to_owned());
        let content_type = header(header::CONTENT_TYPE).unwrap_or_default();
        let retry_after = header(header::RETRY_AFTER);
        let text = String::from_utf8(bytes).unwrap();
        let body = match content_type.contains("json") {
            true => serde_json::from_str(&text).unwrap(),
            false => Value::Null,
        };
        let (status, headers) = (parts.status, parts.headers);
        let answer = Answer { status, headers, content_type, retry_after, body, text };
        documented::check(&method, path, &answer);
        answer
    }

    async fn get(&mut self, path: &str, phone: &Phone) -> Answer {
        self.send(Method::GET, path, Some(phone), Vec::new()).await
    }

    async fn post(&mut self, path: &str, phone: Option<&Phone>, body: &Value) -> Answer {
        self.send(Method::POST, path, phone, body.to_string().into_bytes()).await
    }

    /// Signs in on a new phone.
    async fn log_in(&mut self, username: &str) -> Phone {
        self.log_in_as(json!({ "username": username, "password": PASSWORD,
            "device": { "name": "Pixel 9", "platform": "android 16" } }))
            .await
    }

    async fn log_in_as(&mut self, request: Value) -> Phone {
        let answer = self.post("/login", None, &request).await.ok();
        assert_eq!(
            (&answer["device"]["acked_seq"], &answer["expires_in"]),
            (&json!(0), &json!(900))
        );
        phone(&answer)
    }

    /// Pushes ops, which get their place in the phone's count, and gives the results.
    async fn push(&mut self, phone: &mut Phone, ops: Value) -> Value {
        let body = self.push_body(phone, ops);
        let answer = self.post("/sync/contacts", Some(phone), &body).await.ok();
        phone.op_seq = answer["acked_seq"].as_u64().unwrap();
        answer
    }

    fn push_body(&self, phone: &Phone, mut ops: Value) -> Value {
        for (op, seq) in ops.as_array_mut().unwrap().iter_mut().zip(phone.op_seq + 1..) {
            op["op_seq"] = json!(seq);
            op["op_id"] = json!(format!("op-{seq}"));
        }
        json!({ "region": "US", "sent_at": self.now, "as_of": self.now, "complete": true, "ops": ops })
    }

    /// All that a phone without a cursor pulls, page by page.
    async fn pull(&mut self, phone: &Phone) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/sync/contacts?limit=3{cursor}"), phone).await.ok();
            rows.extend(page["contacts"].as_array().unwrap().iter().cloned());
            if page["has_more"] == false {
                return rows;
            }
            cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
        }
    }
}

fn app(database: Arc<dyn Database>, tables: Tables) -> App {
    App {
        database,
        tables,
        keys: SigningKeys::new("a secret of more than thirty-two bytes", None).unwrap(),
        tombstones_kept: TOMBSTONES_KEPT,
        setup_token: Some("let me in".into()),
        password_cost: PasswordCost::SIMULATED,
        settings: Settings::default(),
    }
}

fn phone(answer: &Value) -> Phone {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Phone {
        access: text(&answer["access_token"]),
        refresh: text(&answer["refresh_token"]),
        device: text(&answer["device"]["id"]),
        op_seq: 0,
    }
}

fn id(n: u8) -> ContactId {
    ContactId::new(Timestamp::from_millis(START), [n; 10])
}

fn put(n: u8, base_rev: u64, number: &str) -> Value {
    json!({ "op": "put", "id": id(n), "base_rev": base_rev, "add": { "phones": [{ "number": number }] } })
}

/// All rows but those that a refused request may write: what counts guesses and remembers them.
async fn dump(service: &Service) -> Vec<Vec<Bound>> {
    let tables = [
        "SELECT * FROM book",
        "SELECT * FROM contacts ORDER BY id",
        "SELECT * FROM claims ORDER BY key, created_at, contact",
        "SELECT * FROM history ORDER BY contact, rev",
        "SELECT * FROM shared_keys ORDER BY key",
        "SELECT * FROM calls ORDER BY id",
        "SELECT id, user, ended_at, acked_seq, floor, rejections FROM devices ORDER BY id",
        "SELECT hash, device FROM refresh_tokens ORDER BY hash",
        "SELECT * FROM users ORDER BY id",
    ];
    let rows = service.database.batch(tables.map(Statement::new).to_vec()).await.unwrap();
    rows.into_iter().map(|rows| rows.values).collect()
}
