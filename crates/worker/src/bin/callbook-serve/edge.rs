//! The clock, the system's chance, and who is at the other end. Everything behind this takes them as
//! arguments.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callbook_base::Timestamp;
use callbook_worker::{ClientAddress, Moment, Problem, finish};

#[allow(clippy::disallowed_methods)] // the one place of the native server that reads the clock
pub(crate) fn now() -> Timestamp {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Timestamp::from_millis(millis)
}

/// Bytes that nobody can guess.
pub(crate) fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has chance to give");
    bytes
}

/// 64 hex digits that nobody can guess.
pub(crate) fn secret() -> String {
    chance::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Now, and some chance.
pub(crate) fn moment() -> Moment {
    Moment { now: now(), seed: chance() }
}

/// Where the address of a client is to be found, if the peer is a proxy: in this header.
#[derive(Clone)]
pub(crate) struct AddressHeader(pub(crate) Option<HeaderName>);

/// Who is at the other end: the peer, or whom the proxy names last.
fn client(request: &Request, AddressHeader(header): &AddressHeader) -> Option<ClientAddress> {
    let address = match header {
        None => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            peer.map(|ConnectInfo(peer)| peer.ip())
        }
        Some(name) => {
            let last = request.headers().get_all(name).iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        }
    };
    address.map(ClientAddress)
}

/// How time passes since the first question.
#[allow(clippy::disallowed_methods)] // how long a request took is for people to read
pub(crate) fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Gives a request its moment, its address, and an end.
pub(crate) async fn host(
    State((header, longest)): State<(AddressHeader, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let moment = moment();
    let id = moment.request_id();
    request.extensions_mut().insert(moment);
    if let Some(address) = client(&request, &header) {
        request.extensions_mut().insert(address);
    }
    // Whoever sends a byte a minute does not keep a connection for it.
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(id, status = 408, "a request took too long, and was cut off");
            let detail = "the request did not arrive whole in time: send it again";
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail);
            let mut response = problem.into_response();
            finish(&mut response, Some(&id));
            response
        }
    }
}
