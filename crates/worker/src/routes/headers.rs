//! What every answer says beside its body: nothing keeps it, nothing runs in it, how long it took, and what its
//! request is called in the log, which has one line for each. Who may call from another origin is here too.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use crate::app::Moment;
use crate::timing::{Clock, timed};

/// What an answer that says nothing else of it says.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The layer around all routes. It logs the route, never the path as sent, which may hold a number.
pub(super) async fn headers(
    State(clock): State<Option<Clock>>,
    request: Request,
    next: Next,
) -> Response {
    let id = request.extensions().get().map(Moment::request_id);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", id);
    let answer = next.run(request).instrument(span);
    let (mut response, took) = match clock {
        None => (answer.await, None),
        Some(clock) => {
            let (response, took) = timed(clock, answer).await;
            (response, Some(took))
        }
    };
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let status = response.status().as_u16();
    let ms = took.as_ref().map(|took| took.total.as_millis() as u64);
    let db_ms = took.as_ref().map(|took| took.database.as_millis() as u64);
    tracing::info!(id, %method, route, status, ms, db_ms, "answered");
    let timing = took.map(|took| {
        let millis = |time: std::time::Duration| time.as_secs_f64() * 1_000.0;
        format!("db;dur={:.1}, total;dur={:.1}", millis(took.database), millis(took.total))
    });
    if let Some(timing) = timing.and_then(|timing| HeaderValue::from_str(&timing).ok()) {
        response.headers_mut().insert(TIMING, timing);
    }
    finish(&mut response, id.as_deref());
    response
}

/// Says what every answer says, with the name of its request; for answers that do not come from a route.
pub fn finish(response: &mut Response, request_id: Option<&str>) {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Lets pages of these origins call, and no others.
pub(super) fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER, REQUEST_ID, TIMING])
        .max_age(std::time::Duration::from_secs(24 * 60 * 60))
}
