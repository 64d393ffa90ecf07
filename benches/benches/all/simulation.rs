//! A team's phones against the service, in our simulator and on turmoil: as many phones, contacts, hours
//! and changes, the same engine, the same router, SQLite in memory. Ours also keeps the model and checks all
//! books at the end. Nothing goes wrong in either.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::middleware::{self, Next as Inner};
use axum::serve::Listener;
use bytes::Bytes;
use callbook_base::Timestamp;
use callbook_calls::{Call, Direction, Seconds};
use callbook_contacts::{Add, Edit, NewPhone, Set};
use callbook_device::{Engine, MemoryStore, Method, Next, NoAnswer, Response, Store, Transport};
use callbook_sim::{Mix, Rates, Row, read, run};
use callbook_worker::Moment;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turmoil::net::{TcpListener, TcpStream};

use crate::push::{PASSWORD, START, Service};

const CONTACTS: usize = 1_000;
const TIME: Duration = Duration::from_secs(3 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const PORT: u16 = 80;

/// At each tick, a millisecond unless something else is said, turmoil wakes every host and looks for its
/// messages on every link. With one of ten seconds, which is kind to it, phones still sync at the same
/// times, and a request takes half a minute of theirs.
const TICK: Duration = Duration::from_secs(10);

/// How long the two simulations of so many phones take, and how many requests each served.
pub(crate) struct Compared {
    pub(crate) phones: usize,
    pub(crate) ours: (Duration, u64),
    pub(crate) turmoil: (Duration, u64),
}

pub(crate) fn compare(quick: bool) -> Vec<Compared> {
    let rows = read(None, CONTACTS).unwrap();
    let sizes: &[usize] = if quick { &[100] } else { &[100, 200, 400] };
    let compare = |&phones| Compared {
        phones,
        ours: timed(|| ours(phones, &rows)),
        turmoil: timed(|| on_turmoil(phones, &rows)),
    };
    sizes.iter().map(compare).collect()
}

fn timed(work: impl FnOnce() -> u64) -> (Duration, u64) {
    let started = Instant::now();
    let requests = work();
    (started.elapsed(), requests)
}

fn ours(phones: usize, rows: &[Row]) -> u64 {
    let mix = Mix {
        contacts: CONTACTS,
        time: TIME,
        rates: Rates::NONE,
        ..Mix::main().with_devices(phones)
    };
    let outcome = run(1, &mix, rows, |_| {});
    assert!(outcome.differences.is_empty(), "{:?}", outcome.differences);
    outcome.stats.requests
}

/// A host for the service and one for each phone.
fn on_turmoil(phones: usize, rows: &[Row]) -> u64 {
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .tick_duration(TICK)
        .simulation_duration(TIME * 2)
        .tcp_capacity(1 << 16)
        .build();
    let requests = Arc::new(AtomicU64::new(0));
    let served = requests.clone();
    sim.host("service", move || serve(served.clone()));
    let digests = Rc::new(RefCell::new(Vec::new()));
    for index in 0..phones {
        let saved = rows.iter().skip(index).step_by(phones).cloned();
        // Some have what another has too.
        let others = rows.iter().skip((index + 1) % phones).step_by(phones).take(2).cloned();
        let phone = Phone {
            engine: Engine::open(MemoryStore::default()).unwrap(),
            network: Network { sender: None },
            chance: ChaCha8Rng::seed_from_u64(index as u64),
            saved: saved.chain(others).collect(),
            change_every: MINUTE * 30 * phones as u32 / 25,
        };
        let digests = digests.clone();
        sim.client(format!("phone-{index}"), async move {
            let engine = phone.live().await;
            assert!(engine.status().unwrap().is_quiet());
            digests.borrow_mut().push(engine.store().state().unwrap().digest);
            Ok(())
        });
    }
    sim.run().unwrap();
    let digests = digests.borrow();
    assert!(digests.iter().all(|digest| *digest == digests[0]), "all mirrors are one");
    requests.load(Ordering::Relaxed)
}

fn now() -> Timestamp {
    Timestamp::from_millis(START).after(turmoil::sim_elapsed().unwrap_or_default())
}

async fn serve(requests: Arc<AtomicU64>) -> turmoil::Result {
    let service = Service::new().await;
    let moment = move |mut request: Request, next: Inner| {
        let count = requests.fetch_add(1, Ordering::Relaxed);
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&count.to_be_bytes());
        request.extensions_mut().insert(Moment { now: now(), seed });
        async move { next.run(request).await }
    };
    let router = service.router.layer(middleware::from_fn(moment));
    let listener = TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, PORT)).await?;
    axum::serve(Simulated(listener), router).await?;
    Ok(())
}

struct Simulated(TcpListener);

impl Listener for Simulated {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (TcpStream, Self::Addr) {
        self.0.accept().await.unwrap()
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A phone's way to the service: one connection, as long as it lasts.
struct Network {
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Network {
    async fn connection(&mut self) -> Option<&mut SendRequest<Full<Bytes>>> {
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(("service", PORT)).await.ok()?;
            let (sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
            tokio::task::spawn_local(connection);
            self.sender = Some(sender);
        }
        let sender = self.sender.as_mut()?;
        sender.ready().await.ok()?;
        Some(sender)
    }

    async fn send(&mut self, request: callbook_device::Request) -> Option<Response> {
        let method = match request.method {
            Method::Get => axum::http::Method::GET,
            Method::Post => axum::http::Method::POST,
            Method::Put => axum::http::Method::PUT,
        };
        let mut sent = hyper::Request::builder().method(method).uri(&request.path);
        sent = sent.header("host", "service");
        if let Some(bearer) = &request.bearer {
            sent = sent.header("authorization", format!("Bearer {}", bearer.expose()));
        }
        let sent = sent.body(Full::from(request.body.unwrap_or_default())).unwrap();
        let answer = self.connection().await?.send_request(sent).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes().into();
        Some(Response { status, retry_after: None, body })
    }
}

impl Transport for Network {
    async fn send(&mut self, request: callbook_device::Request) -> Result<Response, NoAnswer> {
        Network::send(self, request).await.ok_or(NoAnswer::TimedOut)
    }
}

struct Phone {
    engine: Engine<MemoryStore>,
    network: Network,
    chance: ChaCha8Rng,
    saved: Vec<Row>,
    change_every: Duration,
}

impl Phone {
    /// As a phone of our simulator lives: saves what it has, signs in within two hours, changes and syncs,
    /// then syncs twice when all others are done.
    async fn live(mut self) -> Engine<MemoryStore> {
        let contacts = self
            .saved
            .iter()
            .map(|row| (contact(row), Timestamp::from_millis(row.created_at.min(START))));
        self.engine.import(contacts.collect(), &mut self.chance).unwrap();
        self.sign_in();
        let mut next_sync = now().after(MINUTE * self.chance.random_range(0..120));
        let mut next_change = self.after_about(self.change_every);
        let end = Timestamp::from_millis(START).after(TIME);
        loop {
            let wake = next_sync.min(next_change).min(end);
            sleep_until(wake).await;
            if wake >= end {
                break;
            }
            if wake == next_change {
                self.change();
                next_change = self.after_about(self.change_every);
                if self.chance.random_bool(0.7) {
                    next_sync = next_sync.min(now().after(Duration::from_secs(5)));
                }
            } else {
                next_sync = self.sync().await;
            }
        }
        for round in 1..=2 {
            sleep_until(end.after(MINUTE * 15 * round)).await;
            self.sync().await;
        }
        self.engine
    }

    fn sign_in(&mut self) {
        let (name, platform) = ("phone".parse().unwrap(), "turmoil".parse().unwrap());
        self.engine.sign_in("ann".to_owned(), PASSWORD.into(), name, platform);
    }

    /// One sync to its end; when the next is due.
    async fn sync(&mut self) -> Timestamp {
        let Self { engine, network, chance, .. } = self;
        match callbook_device::sync(engine, network, now, chance).await.unwrap() {
            Next::Wait(until) => until,
            other => panic!("nothing goes wrong here: {other:?}"),
        }
    }

    /// A call, or a new contact.
    fn change(&mut self) {
        let row = &self.saved[self.chance.random_range(0..self.saved.len())];
        if self.chance.random_bool(0.25) {
            let call = Call {
                phone_number: row.number.parse().unwrap(),
                timestamp: now(),
                duration: Seconds(self.chance.random_range(0..600)),
                direction: Direction::Incoming,
                line: None,
            };
            self.engine.record_call(call).unwrap();
        } else {
            self.engine.create(contact(row), now(), &mut self.chance).unwrap();
        }
    }

    fn after_about(&mut self, mean: Duration) -> Timestamp {
        let share: f64 = self.chance.random_range(0.000_001..1.0);
        now().after(mean.mul_f64(-share.ln())).plus_millis(1)
    }
}

fn contact(row: &Row) -> Edit {
    let phone = NewPhone {
        number: row.number.parse().unwrap(),
        region: Some(row.region.parse().unwrap()),
        r#type: None,
        label: None,
        primary: false,
    };
    let set = Set { name: Some(Some("Contact".parse().unwrap())), ..Set::default() };
    Edit { set, add: Add { phones: vec![phone], ..Add::default() }, ..Edit::default() }
}

async fn sleep_until(time: Timestamp) {
    let wait = time.millis_since(now());
    tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
}
