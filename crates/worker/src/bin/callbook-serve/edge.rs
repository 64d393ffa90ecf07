//! The clock, the system's chance, and a line of log for each request. Everything behind this takes
//! both as arguments.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use callbook_base::Timestamp;
use callbook_worker::Moment;

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

/// Gives a request its moment, and logs what became of it: the route, never the path as sent, which
/// may hold a number.
#[allow(clippy::disallowed_methods)] // how long it took is for people to read
pub(crate) async fn moment_and_log(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(moment());
    let response = next.run(request).await;
    tracing::info!(
        %method,
        route = route.as_ref().map_or("unknown", |route| route.as_str()),
        status = response.status().as_u16(),
        ms = started.elapsed().as_millis() as u64,
    );
    response
}
