//! A phone's network: it loses, delays, duplicates and reorders requests, and loses answers after
//! the service has done what was asked. The service is called in process, through its real router.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use callbook_base::Timestamp;
use callbook_device::{Response, Transport, Unreachable};
use callbook_worker::Moment;
use http_body_util::BodyExt;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::cost::Cost;
use crate::fault::Fault;
use crate::world::Shared;

/// How long a phone waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

tokio::task_local! {
    /// The request that the service is working on.
    pub(crate) static CURRENT: Arc<Delivered>;
}

/// A request as it reached the service.
pub(crate) struct Delivered {
    /// Whose it is; a desk's has none.
    pub(crate) phone: Option<usize>,
    pub(crate) now: Timestamp,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Bytes,
    /// What it has made the database do so far.
    pub(crate) cost: Mutex<Cost>,
}

impl Delivered {
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
    pub(crate) chance: ChaCha8Rng,
    /// The phone's number, for the trace.
    pub(crate) phone: usize,
    /// Until then nothing gets through.
    pub(crate) offline_until: Timestamp,
}

impl Transport for Network {
    async fn send(&mut self, request: callbook_device::Request) -> Result<Response, Unreachable> {
        let shared = self.shared.clone();
        let rates = shared.rates();
        if self.chance.random_bool(rates[Fault::Partition]) {
            shared.part(Duration::from_secs(60 * self.chance.random_range(5..180)));
        }
        if shared.is_parted() || (shared.now() < self.offline_until && !shared.calm()) {
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(1..3_000))).await;
            return Err(Unreachable);
        }

        if let Some(answer) = self.in_between() {
            tokio::time::sleep(self.delay()).await;
            return Ok(answer);
        }
        let there = match self.chance.random_bool(rates[Fault::RequestLate]) {
            true => {
                shared.fault_on_the_way(Fault::RequestLate, self.phone, &request);
                Duration::from_secs(self.chance.random_range(25..400))
            }
            false => self.delay(),
        };
        let back = self.delay();
        let lost = self.chance.random_bool(rates[Fault::RequestLost]);
        let answer_lost = !lost && self.chance.random_bool(rates[Fault::AnswerLost]);
        let copy =
            self.chance.random_bool(rates[Fault::RequestDuplicated]).then(|| self.delay() * 3);
        let fates = [self.fate(), self.fate()];
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
            tokio::task::spawn_local(async move {
                let call = deliver(shared.clone(), phone, request.clone(), fates[0], there);
                let response = call.await;
                if answer_lost {
                    shared.fault_on_the_way(Fault::AnswerLost, phone, &request);
                }
                tokio::time::sleep(if answer_lost { TIMEOUT } else { back }).await;
                if let Some(answer) = answer.filter(|_| !answer_lost) {
                    // The phone may have given up waiting.
                    let _ = answer.send(response);
                }
            });
        }
        if let Some(after) = copy {
            shared.fault_on_the_way(Fault::RequestDuplicated, self.phone, &request);
            let request = request.clone();
            tokio::task::spawn_local(deliver(shared, self.phone, request, fates[1], there + after));
        }
        match tokio::time::timeout(TIMEOUT, waiting).await {
            Ok(Ok(mut response)) => {
                self.note_sign_in(&request, &response);
                if self.chance.random_bool(rates[Fault::AnswerCut]) {
                    self.shared.fault_on_the_way(Fault::AnswerCut, self.phone, &request);
                    let length = response.body.len();
                    response.body.truncate(self.chance.random_range(0..length.max(1)));
                }
                Ok(response)
            }
            _ => Err(Unreachable),
        }
    }
}

impl Network {
    fn fate(&mut self) -> Fate {
        let dies = self.chance.random_bool(self.shared.rates()[Fault::WorkerDied]);
        let slowness = u64::from(self.shared.mix().slowness);
        let dies_after = dies.then(|| self.chance.random_range(0..40 * slowness));
        Fate { seed: self.chance.random(), dies_after: dies_after.map(Duration::from_millis) }
    }

    /// The answer of something that stands between the phone and the service, and lets nothing through.
    fn in_between(&mut self) -> Option<Response> {
        let rates = self.shared.rates();
        if self.chance.random_bool(rates[Fault::CaptivePortal]) {
            self.shared.fault(Fault::CaptivePortal);
            let body = b"<html><body>Welcome! Please accept our terms.</body></html>".to_vec();
            return Some(Response { status: 200, retry_after: None, body });
        }
        if self.chance.random_bool(rates[Fault::Busy]) {
            self.shared.fault(Fault::Busy);
            let status = [429, 502, 503][self.chance.random_range(0..3)];
            let retry_after =
                self.chance.random_bool(0.7).then(|| self.chance.random_range(1..900));
            return Some(Response { status, retry_after, body: b"<html>".to_vec() });
        }
        None
    }

    /// Tells the model which device follows which.
    fn note_sign_in(&self, sent: &callbook_device::Request, answer: &Response) {
        if sent.path != "/login" || answer.status != 200 {
            return;
        }
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (sent, answer) = (read(sent.body.as_deref().unwrap_or_default()), read(&answer.body));
        if let (Some(device), Some(older)) =
            (answer["device"]["id"].as_str(), sent["device"]["replaces"].as_str())
        {
            self.shared.replaces(device, older);
        }
    }

    /// Mostly tens of milliseconds, with a heavy tail.
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
}

async fn deliver(
    shared: Arc<Shared>,
    phone: usize,
    request: Arc<callbook_device::Request>,
    fate: Fate,
    after: Duration,
) -> Response {
    tokio::time::sleep(after).await;
    let delivered = Delivered {
        phone: Some(phone),
        now: shared.now(),
        method: match request.method {
            callbook_device::Method::Get => Method::GET,
            callbook_device::Method::Post => Method::POST,
            callbook_device::Method::Put => Method::PUT,
        },
        path: request.path.clone(),
        bearer: request.bearer.as_ref().map(|token| token.expose().to_owned()),
        body: request.body.clone().map(Bytes::from).unwrap_or_default(),
        cost: Mutex::default(),
    };
    serve(&shared, Arc::new(delivered), fate).await
}

/// What the service answers, or its host when the instance dies at work.
pub(crate) async fn serve(shared: &Shared, sent: Arc<Delivered>, fate: Fate) -> Response {
    let place = shared.arrived(&sent);
    let call = call(shared, &sent, fate.seed);
    let work = async {
        match fate.dies_after {
            None => call.await,
            // Whatever it was waiting for: a batch that it had sent, or the answer to one.
            Some(time) => tokio::time::timeout(time, call).await.unwrap_or_else(|_| {
                shared.fault(Fault::WorkerDied);
                Response { status: 500, retry_after: None, body: b"<html>Error 1101".to_vec() }
            }),
        }
    };
    let answer = CURRENT.scope(sent.clone(), work).await;
    shared.answered(place, &sent, &answer);
    answer
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
    let response = match shared.router().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body in memory arrives whole");
    Response { status, retry_after, body: body.to_bytes().to_vec() }
}
