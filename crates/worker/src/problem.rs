//! What goes wrong, as RFC 9457 `application/problem+json` with a stable `code`. Nothing that was
//! sent may be quoted in a log from here.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callbook_auth::AuthError;
use serde_json::{Map, Value, json};

use crate::app::Moment;
use crate::database::DatabaseError;

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<u32>,
    more: Map<String, Value>,
}

impl Problem {
    /// With the `code` that callers act on, and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl ToString) -> Self {
        Self { status, code, detail: detail.to_string(), retry_after: None, more: Map::new() }
    }

    /// With a member that a caller needs to go on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// `400 invalid_request`.
    pub fn invalid_request(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    /// `413 too_large`.
    pub fn too_large(detail: impl ToString) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// `404 not_found`.
    pub fn not_found(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// `503 busy`: not all at the same time again.
    pub(crate) fn busy(moment: Moment) -> Self {
        let detail = "others do the same at the same time: try again";
        let [jitter] = moment.chance().bytes();
        let seconds = 1 + u32::from(jitter % 8);
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(seconds)
    }

    /// `410 cursor_expired`.
    pub fn cursor_expired() -> Self {
        let detail =
            "the cursor is not of this book as it is now: pull from the start, without one";
        Self::new(StatusCode::GONE, "cursor_expired", detail)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let status = match error {
            AuthError::InvalidCredentials | AuthError::Token(_) => StatusCode::UNAUTHORIZED,
            AuthError::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
            AuthError::Forbidden => StatusCode::FORBIDDEN,
            AuthError::AlreadySetUp | AuthError::LastAdmin => StatusCode::CONFLICT,
            AuthError::Username(_) | AuthError::Password(_) | AuthError::Label(_) => {
                StatusCode::BAD_REQUEST
            }
        };
        Self::new(status, error.code(), error)
    }
}

impl From<callbook_auth::TokenError> for Problem {
    fn from(error: callbook_auth::TokenError) -> Self {
        AuthError::from(error).into()
    }
}

impl From<DatabaseError> for Problem {
    /// D1 documents its errors as ones to try again; our own SQL's are not.
    fn from(error: DatabaseError) -> Self {
        if !error.is_of_the_database() {
            tracing::error!(%error, "the schema and the code disagree");
            let detail = "the service cannot read its own data: its log tells what";
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail);
        }
        if error.is_behind() {
            tracing::error!(%error, "the database waits for a migration of this version");
            let detail = "the service is being updated: try again in a minute";
            let behind = Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_behind", detail);
            return behind.retry_after(60);
        }
        tracing::warn!(%error, "the database failed");
        let detail = "the database did not answer: try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail).retry_after(1)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = Map::from_iter([
            ("type".to_owned(), json!("about:blank")),
            ("title".to_owned(), json!(title)),
            ("status".to_owned(), json!(self.status.as_u16())),
            ("code".to_owned(), json!(self.code)),
            ("detail".to_owned(), json!(self.detail)),
        ]);
        body.extend(self.more);
        let mut response = (self.status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
