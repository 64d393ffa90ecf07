//! Where a list of section 8 stands: `cursor` and `limit` of its query.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use callbook_base::Place;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

/// Rows of a page when nothing is said.
const USUAL_LIMIT: u64 = 100;

/// Above this, what is said is cut.
const HIGHEST_LIMIT: u64 = 500;

/// A query that asks for a page and nothing else.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct PageQuery {
    /// `cursor` of the page before; without it the first page.
    pub(super) cursor: Option<String>,
    /// Rows of a page.
    #[cfg_attr(test, param(value_type = Option<u64>, minimum = 1))]
    pub(super) limit: Option<String>,
}

/// A page that is asked for.
pub(super) struct Listing {
    pub(super) after: Option<Place>,
    pub(super) limit: u64,
}

impl Listing {
    /// Of a list whose places have so many parts.
    pub(super) fn read(
        cursor: Option<String>,
        limit: Option<String>,
        parts: usize,
    ) -> Result<Self, Problem> {
        let after = cursor.map(|cursor| cursor.parse::<Place>()).transpose();
        let after = after.map_err(|_| Self::invalid())?;
        if after.as_ref().is_some_and(|after| after.0.len() != parts) {
            return Err(Self::invalid());
        }
        Ok(Self { after, limit: read_limit(limit, USUAL_LIMIT, HIGHEST_LIMIT)? })
    }

    /// `400 invalid_cursor`.
    pub(super) fn invalid() -> Problem {
        let detail = "the cursor is not of this list: ask for its first page, without one";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", detail)
    }
}

/// How many rows a page may have.
pub(super) fn read_limit(said: Option<String>, usual: u64, highest: u64) -> Result<u64, Problem> {
    match said.map(|limit| limit.parse::<u64>()) {
        None => Ok(usual),
        Some(Ok(limit)) if limit >= 1 => Ok(limit.min(highest)),
        Some(_) => {
            let detail = "limit is a whole number of 1 or more";
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_limit", detail))
        }
    }
}

/// The part of an address that names something.
pub(super) struct Part(pub(super) String);

impl FromRequestParts<Arc<App>> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let part = Path::from_request_parts(parts, app).await;
        let Path(part) = part.map_err(|_| Problem::not_found("the address is not UTF-8"))?;
        Ok(Self(part))
    }
}

/// The query of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let said = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
        said.map(Self).map_err(|error| {
            Problem::invalid_request(format!("the query of this address cannot be read: {error}"))
        })
    }
}
