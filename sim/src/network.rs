//! A phone's network: it loses, delays, duplicates and reorders requests, and loses answers after
//! the service has done what was asked. The service is called in process, through its real router.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use callbook_base::Timestamp;
use callbook_device::{NoAnswer, RequestId, Response, Transport};
use callbook_worker::{Moment, far};
use http_body_util::BodyExt;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::chances::{self, Place};
use crate::cost::Cost;
use crate::coverage::operation;
use crate::fault::Fault;
use crate::shared::Shared;

/// A phone that pulls has been seen by the service at most so long ago: by then it needs another token.
const SEEN_WITHIN: Duration = Duration::from_secs(30 * 60);

/// How long a phone waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What Cloudflare says when an instance has died at work.
pub(crate) const DIED: &[u8] = b"<html>Error 1101";

tokio::task_local! {
    /// The request that the service is working on.
    pub(crate) static CURRENT: Arc<Delivered>;
}

/// A request as it reached the service.
pub(crate) struct Delivered {
    /// Of a phone's; a desk's has none.
    pub(crate) place: Option<Place>,
    /// How many batches it has made, counted from 0, or from another number for a copy.
    pub(crate) batches: AtomicU32,
    pub(crate) now: Timestamp,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Bytes,
    /// What it has made the database do so far.
    pub(crate) cost: Mutex<Cost>,
    /// Which batches of all these were, in order, and what became of each.
    pub(crate) turns: Mutex<Vec<(u64, far::Fate)>>,
}

impl Delivered {
    /// One that has not been worked on: `address` is its method and path.
    pub(crate) fn new(
        place: Option<Place>,
        now: Timestamp,
        (method, path): (Method, &str),
        bearer: Option<String>,
        body: impl Into<Bytes>,
    ) -> Self {
        let (batches, cost, turns) = (AtomicU32::new(0), Mutex::default(), Mutex::default());
        let (path, body) = (path.to_owned(), body.into());
        Self { place, batches, now, method, path, bearer, body, cost, turns }
    }

    /// Whose it is; a desk's has none.
    pub(crate) fn phone(&self) -> Option<usize> {
        self.place.and_then(Place::phone).map(|phone| phone as usize)
    }

    /// What it has cost, with its answer.
    pub(crate) fn cost(&self, answer: &Response) -> Cost {
        let database = *self.cost.lock().expect("a run has one thread");
        let (bytes_in, bytes_out) = (self.body.len() as u64, answer.body.len() as u64);
        Cost { bytes_in, bytes_out, ..database }
    }
}

/// One phone's way to the service.
pub(crate) struct Network {
    pub(crate) shared: Arc<Shared>,
    /// The phone's number, and how many requests it has sent.
    pub(crate) phone: usize,
    pub(crate) requests: u32,
    /// The kind of the last.
    pub(crate) asked: Option<&'static str>,
    /// Until then nothing gets through.
    pub(crate) offline_until: Timestamp,
    /// Answers that came after the phone had given their requests up.
    pub(crate) late: Arc<Mutex<Vec<LateAnswer>>>,
    /// Whether the host has cancelled the sync in the middle of the last request.
    pub(crate) is_cancelled: bool,
    /// How often the service has told it to pull contacts from the start.
    pub(crate) expired: u64,
    /// When it has pulled contacts first and last, as the device that it is now and since the book was put
    /// back for the last time; and how often that was.
    pub(crate) pulled: Option<(Timestamp, Timestamp, u64)>,
}

/// An answer that nobody waits for any more: to which request, of which kind, and what it says.
pub(crate) struct LateAnswer {
    pub(crate) id: RequestId,
    pub(crate) asked: Option<&'static str>,
    pub(crate) answer: Response,
}

impl Transport for Network {
    async fn send(&mut self, request: callbook_device::Request) -> Result<Response, NoAnswer> {
        let shared = self.shared.clone();
        let (phone, n) = (self.phone as u32, self.requests);
        let place = Place::Request(phone, n);
        self.requests += 1;
        self.asked = operation(&request.path, request.body.is_some());
        let mut here = Here { shared: shared.clone(), place, chance: shared.chances.at(place) };
        if here.strikes(Fault::Partition) {
            shared.part(Duration::from_secs(60 * here.chance.random_range(5..180)));
        }
        if shared.is_parted() || (shared.now() < self.offline_until && !shared.calm()) {
            tokio::time::sleep(Duration::from_millis(here.chance.random_range(1..3_000))).await;
            return Err(NoAnswer::Unreachable);
        }

        shared.note(place, || request.path.split('?').next().unwrap_or_default().to_owned());
        if let Some(answer) = here.in_between(self.asked) {
            tokio::time::sleep(here.delay()).await;
            return Ok(answer);
        }
        let tails = here.tails(self.phone, &request);
        let there = match here.strikes(Fault::RequestLate) {
            true => {
                shared.fault_on_the_way(Fault::RequestLate, self.phone, &request);
                Duration::from_secs(here.chance.random_range(25..400))
            }
            false => here.delay(),
        } + tails[0];
        let back = here.delay() + tails[1];
        let lost = here.strikes(Fault::RequestLost);
        let answer_lost = !lost && here.strikes(Fault::AnswerLost);
        let copy = here.strikes(Fault::RequestDuplicated).then(|| here.delay() * 3);
        let fates = [here.fate(place), here.fate(Place::Batch(phone, n, chances::COPY))];
        let cut = here.strikes(Fault::AnswerCut);
        let gives_up = !lost && !answer_lost && here.strikes(Fault::AnswerLate);
        let patience = match gives_up {
            true => Duration::from_millis(here.chance.random_range(500..30_000)),
            false => TIMEOUT,
        };
        self.is_cancelled = gives_up && here.chance.random_bool(0.5);
        if lost {
            shared.fault_on_the_way(Fault::RequestLost, self.phone, &request);
        }

        let request = Arc::new(request);
        let (answer, waiting) = oneshot::channel();
        // Kept until the phone gives up, if nothing is sent: a network does not tell.
        let mut answer = Some(answer);
        if !lost {
            let answer = answer.take();
            let (shared, phone, request) = (shared.clone(), self.phone, request.clone());
            let (late, asked) = (self.late.clone(), self.asked);
            tokio::task::spawn_local(async move {
                let call = deliver(shared.clone(), place, 0, request.clone(), fates[0], there);
                let response = call.await;
                if answer_lost {
                    shared.fault_on_the_way(Fault::AnswerLost, phone, &request);
                }
                let is_in_time = !answer_lost && !gives_up;
                tokio::time::sleep(if is_in_time { back } else { TIMEOUT }).await;
                match answer {
                    _ if gives_up => {
                        let late_answer = LateAnswer { id: request.id, asked, answer: response };
                        late.lock().expect("a run has one thread").push(late_answer);
                    }
                    Some(answer) if !answer_lost => {
                        // The phone may have given up waiting.
                        let _ = answer.send(response);
                    }
                    _ => {}
                }
            });
        }
        if let Some(after) = copy {
            shared.fault_on_the_way(Fault::RequestDuplicated, self.phone, &request);
            let (request, first) = (request.clone(), chances::COPY);
            let copy = deliver(shared.clone(), place, first, request, fates[1], there + after);
            tokio::task::spawn_local(copy);
        }
        match tokio::time::timeout(patience, waiting).await {
            Ok(Ok(mut response)) => {
                self.note_pull(&request, &response);
                if cut {
                    self.shared.fault_on_the_way(Fault::AnswerCut, self.phone, &request);
                    let length = response.body.len();
                    response.body.truncate(here.chance.random_range(0..length.max(1)));
                }
                Ok(response)
            }
            _ => Err(NoAnswer::TimedOut),
        }
    }
}

impl Network {
    /// A phone that was here lately, and has pulled all once, need not pull from the start.
    fn note_pull(&mut self, request: &callbook_device::Request, answer: &Response) {
        // It stands behind the rows, which may be a mebibyte.
        let tail = &answer.body[answer.body.len().saturating_sub(400)..];
        let ends = || String::from_utf8_lossy(tail).contains(r#""has_more":false"#);
        let is_pull = request.body.is_none() && request.path.starts_with("/sync/contacts");
        let (now, restores) = (self.shared.now(), self.shared.restores().0);
        match answer.status {
            200 if is_pull && ends() => {
                let since = self.pulled.filter(|(.., of)| *of == restores);
                self.pulled = Some((since.map_or(now, |(first, ..)| first), now, restores));
            }
            410 if is_pull => {
                self.expired += 1;
                self.shared.stats(|stats| stats.expired += 1);
                let lately = now.before(self.shared.mix().tombstones_kept).after(SEEN_WITHIN);
                let was_here = |(first, last, of): (Timestamp, Timestamp, u64)| {
                    first.after(SEEN_WITHIN) < last && last > lately && of == restores
                };
                if self.pulled.take().is_some_and(was_here) {
                    let phone = self.phone;
                    let text =
                        format!("phone {phone} was here lately, and must pull from the start");
                    self.shared.violation(text);
                }
            }
            _ => {}
        }
    }
}

/// A request of a phone at its place in the run.
struct Here {
    shared: Arc<Shared>,
    place: Place,
    chance: ChaCha8Rng,
}

impl Here {
    fn strikes(&mut self, fault: Fault) -> bool {
        self.shared.strikes(self.place, fault, &mut self.chance)
    }

    fn fate(&mut self, place: Place) -> Fate {
        let dies = self.shared.strikes(place, Fault::WorkerDied, &mut self.chance);
        let slowness = u64::from(self.shared.mix().slowness);
        let dies_after = dies.then(|| self.chance.random_range(0..40 * slowness));
        Fate {
            seed: self.chance.random(),
            dies_after: dies_after.map(Duration::from_millis),
            dies_before: self.chance.random(),
        }
    }

    /// The answer of something that stands between the phone and the service, and lets nothing through.
    fn in_between(&mut self, asked: Option<&'static str>) -> Option<Response> {
        if self.strikes(Fault::CaptivePortal) {
            self.shared.fault_at(Fault::CaptivePortal, asked);
            let body = b"<html><body>Welcome! Please accept our terms.</body></html>".to_vec();
            return Some(Response { status: 200, retry_after: None, body });
        }
        if self.strikes(Fault::Busy) {
            self.shared.fault_at(Fault::Busy, asked);
            let status = [429, 502, 503][self.chance.random_range(0..3)];
            let retry_after =
                self.chance.random_bool(0.7).then(|| self.chance.random_range(1..900));
            return Some(Response { status, retry_after, body: b"<html>".to_vec() });
        }
        None
    }

    /// How much longer than usual a request and its answer take, if they do: half of them longer than two seconds, a
    /// tenth than ten, a hundredth than a hundred.
    fn tails(&self, phone: usize, request: &callbook_device::Request) -> [Duration; 2] {
        let Some(mut chance) = self.shared.strikes_at(self.place, Fault::Delayed) else {
            return [Duration::ZERO; 2];
        };
        self.shared.fault_on_the_way(Fault::Delayed, phone, request);
        [(); 2].map(|()| {
            let share: f64 = chance.random_range(0.001..1.0);
            Duration::from_secs_f64(1.0 / share)
        })
    }

    /// As on any mobile network: mostly tens of milliseconds, at most twenty seconds.
    fn delay(&mut self) -> Duration {
        let ms = match self.chance.random_range(0..100) {
            0 => self.chance.random_range(1_000..20_000),
            1..10 => self.chance.random_range(150..1_500),
            _ => self.chance.random_range(15..150),
        };
        Duration::from_millis(ms)
    }
}

/// What becomes of one request at the service.
#[derive(Clone, Copy)]
pub(crate) struct Fate {
    /// Its share of chance.
    pub(crate) seed: [u8; 32],
    /// When the instance that works on it dies.
    pub(crate) dies_after: Option<Duration>,
    /// If it is too much work: whether that ends it before its write, or after it.
    pub(crate) dies_before: bool,
}

/// Error 1102, as Cloudflare answers for a Worker that has used its time.
fn above_the_limit() -> Response {
    let body = b"<!DOCTYPE html><title>Worker exceeded resource limits</title>".to_vec();
    Response { status: 503, retry_after: None, body }
}

/// The host's answer when an instance has died.
fn died() -> Response {
    Response { status: 500, retry_after: None, body: DIED.into() }
}

/// How many ops or calls a request of a phone brings; `None` for those that cannot be made smaller.
fn work_of(sent: &Delivered) -> Option<u64> {
    if sent.place.is_none() || !sent.path.starts_with("/sync/") {
        return None;
    }
    let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
    let lists = [&body["ops"], &body["calls"]];
    Some(lists.iter().filter_map(|list| list.as_array()).map(|list| list.len() as u64).sum())
}

/// How many rows a page of a pull has.
fn rows_of(answer: &Response) -> u64 {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let lists = [&body["contacts"], &body["calls"]];
    lists.iter().filter_map(|list| list.as_array()).map(|list| list.len() as u64).sum()
}

async fn deliver(
    shared: Arc<Shared>,
    place: Place,
    first_batch: u32,
    request: Arc<callbook_device::Request>,
    fate: Fate,
    after: Duration,
) -> Response {
    tokio::time::sleep(after).await;
    let (method, path) = match request.method {
        callbook_device::Method::Get => (Method::GET, paged(&request.path, shared.mix().page)),
        callbook_device::Method::Post => (Method::POST, request.path.clone()),
        callbook_device::Method::Put => (Method::PUT, request.path.clone()),
    };
    let bearer = request.bearer.as_ref().map(|token| token.expose().to_owned());
    let body = request.body.clone().unwrap_or_default();
    let delivered = Delivered::new(Some(place), shared.now(), (method, &path), bearer, body);
    delivered.batches.store(first_batch, Ordering::Relaxed);
    serve(&shared, Arc::new(delivered), fate).await
}

/// What the service answers, or its host when the instance dies at work.
pub(crate) async fn serve(shared: &Shared, sent: Arc<Delivered>, fate: Fate) -> Response {
    let place = shared.arrived(&sent, fate.seed);
    let shut_out = shared.shut_out(sent.bearer.as_deref());
    let call = async {
        let answer = call(shared, &sent, fate.seed).await;
        let is_told = answer.status != 503 || answer.retry_after.is_some();
        if answer.status == 500 || !is_told {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            shared.violation(format!("{}: the service answers {text}", sent.path));
        }
        answer
    };
    let work = async {
        match fate.dies_after {
            None => call.await,
            // Whatever it was waiting for: a batch that it had sent, or the answer to one.
            Some(time) => tokio::time::timeout(time, call).await.unwrap_or_else(|_| {
                shared.fault(Fault::WorkerDied);
                died()
            }),
        }
    };
    let limit = shared.most_work().and_then(|most| Some((most, work_of(&sent)?)));
    let answer = match limit {
        Some((most, asked)) if asked > most && fate.dies_before => above_the_limit(),
        _ => CURRENT.scope(sent.clone(), work).await,
    };
    let answer = match sent.place {
        Some(place) if shared.strikes_at(place, Fault::WorkerDiedLate).is_some() => {
            shared.fault_at(Fault::WorkerDiedLate, operation(&sent.path, !sent.body.is_empty()));
            died()
        }
        _ => answer,
    };
    let answer = match limit {
        Some((most, asked)) if asked.max(rows_of(&answer)) > most => {
            shared.fault_at(Fault::CpuLimit, operation(&sent.path, !sent.body.is_empty()));
            above_the_limit()
        }
        _ => answer,
    };
    // It was shut out before it came, and nothing has let it in since.
    let is_out = shut_out.is_some() && shared.shut_out(sent.bearer.as_deref()) == shut_out;
    if is_out && answer.status == 200 {
        let text = format!("{}: a revoked device or a disabled user is answered", sent.path);
        shared.violation(text);
    }
    shared.answered(place, &sent, &answer);
    answer
}

/// The address of a pull whose pages have so many rows, or fewer if the phone wants so.
fn paged(path: &str, rows: u32) -> String {
    let (address, query) = path.split_once('?').unwrap_or((path, ""));
    let limit = |part: &str| part.strip_prefix("limit=").and_then(|limit| limit.parse().ok());
    let rows = query.split('&').find_map(limit).unwrap_or(rows).min(rows);
    let others = query.split('&').filter(|part| !part.is_empty() && limit(part).is_none());
    let query: Vec<String> = others.map(str::to_owned).chain([format!("limit={rows}")]).collect();
    format!("{address}?{}", query.join("&"))
}

/// One call of the service, as its host makes it.
async fn call(shared: &Shared, delivered: &Delivered, seed: [u8; 32]) -> Response {
    let mut request = Request::builder()
        .method(delivered.method.clone())
        .uri(&delivered.path)
        .extension(Moment { now: delivered.now, seed });
    if let Some(bearer) = &delivered.bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    let request =
        request.body(Body::from(delivered.body.clone())).expect("paths and tokens are plain text");
    let response = match shared.instance(delivered.place).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body in memory arrives whole");
    Response { status, retry_after, body: body.to_bytes().into() }
}
