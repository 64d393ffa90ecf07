//! `GET /openapi.json`: what the service takes and answers, as OpenAPI 3.1. The document is made from the
//! messages' own types by a test, and checked in: nothing that makes it is in what runs.

use axum::http::header;
use axum::response::IntoResponse;

#[cfg(test)]
mod made;
#[cfg(test)]
mod said;

const DOCUMENT: &str = include_str!("../../openapi.json");

/// Anybody may ask.
pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
