//! The clock, the system's chance, and a line of log for each request. Everything behind this takes
//! both as arguments.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callbook_base::Timestamp;
use callbook_worker::{ClientAddress, Moment, Problem};

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

/// Gives a request its moment and address, and logs what became of it: the route, never the path as sent,
/// which may hold a number.
#[allow(clippy::disallowed_methods)] // how long it took is for people to read
pub(crate) async fn moment_and_log(
    State((header, longest)): State<(AddressHeader, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(moment());
    if let Some(address) = client(&request, &header) {
        request.extensions_mut().insert(address);
    }
    // Whoever sends a byte a minute does not keep a connection for it.
    let mut response = match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "the request did not arrive whole in time: send it again";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail).into_response()
        }
    };
    let took = started.elapsed();
    let timing = format!("total;dur={:.1}", took.as_secs_f64() * 1_000.0);
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        response.headers_mut().insert("server-timing", timing);
    }
    let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    tracing::info!(
        id,
        %method,
        route = route.as_ref().map_or("unknown", |route| route.as_str()),
        status = response.status().as_u16(),
        ms = took.as_millis() as u64,
    );
    response
}
