//! A server that says what a service says, or what a table tells it to say instead; and a phone that talks
//! to it. It knows no rules: it takes every op, and its book stays empty.

use std::collections::BTreeMap;
use std::io::{Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use callbook_android::http::{Http, Patience};
use callbook_base::Timestamp;
use callbook_contacts::{Edit, Set};
use callbook_device::{Engine, MemoryStore, Next, Problem, SignInReason, sync};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// What the server says in place of its own answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// A status, the problem's `code`, and `Retry-After` in seconds.
    Problem(u16, &'static str, Option<u64>),
    /// A page of HTML.
    Page(u16),
    /// That somebody should go elsewhere.
    Redirect,
    /// This, as JSON.
    Text(&'static str),
    /// What should be packed and is not.
    Garbled,
    /// Its own answer, but for the end, and then no connection.
    Cut,
    /// Its own answer, when nobody waits for it any more.
    Slow,
    /// That the book was put back from a backup, as it is from then on.
    Restored,
    /// Its own answer, packed.
    Packed,
}

impl Answer {
    fn template(self, own: &Value) -> ResponseTemplate {
        match self {
            Self::Problem(status, code, retry_after) => {
                let answer = ResponseTemplate::new(status).set_body_json(json!({ "code": code }));
                match retry_after {
                    Some(seconds) => answer.insert_header("Retry-After", seconds.to_string()),
                    None => answer,
                }
            }
            Self::Page(status) => {
                ResponseTemplate::new(status).set_body_raw("<h1>Welcome</h1>", "text/html")
            }
            Self::Redirect => {
                ResponseTemplate::new(302).insert_header("Location", "http://portal.invalid/")
            }
            Self::Text(text) => ResponseTemplate::new(200).set_body_raw(text, "application/json"),
            Self::Garbled => ResponseTemplate::new(200)
                .insert_header("Content-Encoding", "gzip")
                .set_body_raw("no gzip", "application/json"),
            // The relay cuts it.
            Self::Cut => ResponseTemplate::new(200).set_body_json(own),
            Self::Slow => ResponseTemplate::new(200).set_body_json(own).set_delay(PATIENCE * 100),
            Self::Restored => ResponseTemplate::new(409).set_body_json(
                json!({ "code": "epoch_changed", "epoch": RESTORED, "acked_seq": 0, "rev": 0 }),
            ),
            Self::Packed => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
                packed.write_all(own.to_string().as_bytes()).unwrap();
                ResponseTemplate::new(200)
                    .insert_header("Content-Encoding", "gzip")
                    .set_body_raw(packed.finish().unwrap(), "application/json")
            }
        }
    }
}

/// How long the phone waits where an answer is slow. A busy machine must not look like one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The epochs of the book.
const EPOCH: &str = "01930000-0000-7000-8000-00000000000e";
const RESTORED: &str = "01930000-0000-7000-8000-00000000000f";

/// How a phone stands at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct End {
    pub(crate) unpushed: usize,
    pub(crate) resyncs: u64,
    pub(crate) problem: Option<Problem>,
    pub(crate) sign_in: Option<SignInReason>,
}

/// A phone and its server.
pub(crate) struct Bench {
    engine: Engine<MemoryStore>,
    pub(crate) http: Http,
    now: Timestamp,
    chance: ChaCha8Rng,
    sign_in: Option<SignInReason>,
    service: Arc<Mutex<Service>>,
    // The last, since the server ends with it.
    _server: (MockServer, Runtime),
}

/// What the server has heard, and what it says instead.
struct Service {
    epoch: &'static str,
    connections: usize,
    /// Whether the answer that comes next is cut off.
    cuts: bool,
    heard: Vec<&'static str>,
    counts: BTreeMap<&'static str, usize>,
    instead: Vec<(&'static str, usize, Answer)>,
}

impl Service {
    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let kind = kind(request);
        self.heard.push(kind);
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let own = own_answer(kind, self.epoch, request);
        let instead = self.instead.iter().find(|it| it.0 == kind && it.1 == *count);
        let Some((_, _, answer)) = instead else {
            return ResponseTemplate::new(200).set_body_json(own);
        };
        match answer {
            Answer::Cut => self.cuts = true,
            Answer::Restored => self.epoch = RESTORED,
            _ => {}
        }
        answer.template(&own)
    }
}

fn kind(request: &Request) -> &'static str {
    match (request.method.as_str(), request.url.path()) {
        ("POST", "/login") => "login",
        ("POST", "/token") => "token",
        ("POST", "/sync/contacts") => "push",
        ("GET", "/sync/contacts") => "pull",
        ("GET", "/sync/calls") => "calls",
        other => panic!("no request of a phone with nothing but contacts: {other:?}"),
    }
}

/// What a service says whose book is empty, and stays so.
fn own_answer(kind: &str, epoch: &str, request: &Request) -> Value {
    const ID: &str = "01930000-0000-7000-8000-000000000001";
    const AT: &str = "2026-11-22T10:00:00.000Z";
    match kind {
        "login" | "token" => json!({
            // Long enough for the half hours between the syncs of a table: what ends it is an answer.
            "access_token": "access", "token_type": "Bearer", "expires_in": 604_800, "refresh_token": "refresh",
            "user": { "id": ID, "username": "ann", "role": "admin", "disabled": false, "created_at": AT },
            "device": { "id": ID, "user": ID, "name": "phone", "platform": "test", "created_at": AT,
                        "last_seen_at": null, "acked_seq": 0, "ended_at": null },
        }),
        "push" => {
            assert_eq!(request.headers["authorization"], "Bearer access");
            let push: Value = request.body_json().unwrap();
            let ops = push["ops"].as_array().unwrap();
            let result = |op: &Value| json!({ "op_seq": op["op_seq"], "id": op["id"], "status": "unchanged", "rev": 0, "lost": [] });
            let acked = ops.last().map_or(json!(0), |op| op["op_seq"].clone());
            json!({ "epoch": epoch, "acked_seq": acked, "rev": 0,
                    "results": ops.iter().map(result).collect::<Vec<_>>() })
        }
        "pull" => json!({ "epoch": epoch, "contacts": [], "cursor": "here", "has_more": false,
                          "digest": "0000000000000000", "rev": 0 }),
        "calls" => json!({ "epoch": epoch, "calls": [], "cursor": "here", "has_more": false }),
        _ => unreachable!("`kind` gives no other"),
    }
}

/// Stands before the server and passes on what both say, since wiremock ends all that it begins: an answer that is to be
/// cut loses its last bytes, and then there is no connection. Its address.
fn relay(server: SocketAddr, service: Arc<Mutex<Service>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for phone in listener.incoming() {
            let (phone, service) = (phone.unwrap(), service.clone());
            // After the end of the test there is no server.
            let Ok(server) = TcpStream::connect(server) else { return };
            service.lock().unwrap().connections += 1;
            let (mut asks, mut asked) = (phone.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || copy(&mut asks, &mut asked));
            std::thread::spawn(move || answers(server, phone, &service));
        }
    });
    address
}

fn answers(mut server: TcpStream, mut phone: TcpStream, service: &Mutex<Service>) {
    let mut bytes = [0; 65_536];
    while let Ok(length @ 1..) = server.read(&mut bytes) {
        let cuts = std::mem::take(&mut service.lock().unwrap().cuts);
        let passed = if cuts { length - 5 } else { length };
        if phone.write_all(&bytes[..passed]).is_err() || cuts {
            break;
        }
    }
    _ = phone.shutdown(Shutdown::Both);
    _ = server.shutdown(Shutdown::Both);
}

impl Bench {
    /// A phone that has signed in and synced, and a server that gives other answers from here on.
    pub(crate) fn signed_in(instead: &[(&'static str, usize, Answer)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(MockServer::start());
        let (heard, counts) = Default::default();
        let service = Service {
            epoch: EPOCH,
            connections: 0,
            cuts: false,
            heard,
            counts,
            instead: Vec::new(),
        };
        let service = Arc::new(Mutex::new(service));
        let answering = service.clone();
        let mock = Mock::given(any())
            .respond_with(move |request: &Request| answering.lock().unwrap().answer(request));
        runtime.block_on(mock.mount(&server));
        let address = format!("http://{}", relay(*server.address(), service.clone()));
        let is_slow = instead.iter().any(|(_, _, answer)| matches!(answer, Answer::Slow));
        let patience = Patience::default();
        let silence = if is_slow { PATIENCE } else { patience.silence };
        let patience = Patience { silence, ..patience };
        let mut bench = Self {
            engine: Engine::open(MemoryStore::default()).unwrap(),
            http: Http::with_patience(address.parse().unwrap(), [], patience),
            now: Timestamp::from_millis(1_795_341_600_000),
            chance: ChaCha8Rng::seed_from_u64(1),
            sign_in: None,
            service,
            _server: (server, runtime),
        };
        let (name, platform) = ("phone".parse().unwrap(), "test".parse().unwrap());
        bench.engine.sign_in("ann".into(), "correct horse".into(), name, platform);
        bench.sync();
        assert_eq!(bench.requests(), "login push pull calls");
        let mut service = bench.service.lock().unwrap();
        service.counts.clear();
        service.instead = instead.to_vec();
        drop(service);
        bench
    }

    pub(crate) fn type_contacts(&mut self, count: usize) {
        for n in 0..count {
            let name = Some(Some(format!("Contact {n}").parse().unwrap()));
            let edit = Edit { set: Set { name, ..Set::default() }, ..Edit::default() };
            self.engine.create(edit, self.now, &mut self.chance).unwrap();
        }
    }

    /// One sync. How many milliseconds the phone then waits; until then the time passes.
    pub(crate) fn sync(&mut self) -> i64 {
        let now = self.now;
        let future = pin!(sync(&mut self.engine, &mut self.http, || now, &mut self.chance));
        // The client blocks its thread: the future is never pending.
        let Poll::Ready(next) = future.poll(&mut Context::from_waker(Waker::noop())) else {
            unreachable!("it blocks")
        };
        self.sign_in = None;
        match next.unwrap() {
            Next::Wait(until) => {
                self.now = until;
                until.millis_since(now)
            }
            Next::SignIn(reason) => {
                self.sign_in = Some(reason);
                0
            }
            Next::Send(_) => unreachable!("the driver sends"),
        }
    }

    /// What the server has heard since it was asked last.
    pub(crate) fn requests(&mut self) -> String {
        std::mem::take(&mut self.service.lock().unwrap().heard).join(" ")
    }

    /// How often the phone has connected.
    pub(crate) fn connections(&self) -> usize {
        self.service.lock().unwrap().connections
    }

    pub(crate) fn end(&self) -> End {
        let status = self.engine.status().unwrap();
        End {
            unpushed: status.unpushed,
            resyncs: status.resyncs,
            problem: status.problem,
            sign_in: self.sign_in,
        }
    }
}
