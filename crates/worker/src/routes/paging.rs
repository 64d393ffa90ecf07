//! Where a pull stands: `cursor` and `limit` of its query.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callbook_base::{Cursor, Epoch, Rev};

use super::listing::{Asked, PageQuery, read_limit};
use crate::app::App;
use crate::problem::Problem;
use crate::sql::book::Book;

/// Rows of a page when nothing is said.
const USUAL_LIMIT: u64 = 500;

/// Above this, what is said is cut.
const HIGHEST_LIMIT: u64 = 2_000;

/// Sorts after every id: all rows of a rev have been sent.
const AFTER_ALL_IDS: &str = "~";

/// The query of a pull.
pub(super) struct Paging {
    pub(super) cursor: Option<Cursor>,
    pub(super) limit: u64,
}

impl FromRequestParts<Arc<App>> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Asked(said) = Asked::<PageQuery>::from_request_parts(parts, app).await?;
        Self::read(said.cursor, said.limit)
    }
}

/// What is answered to a pull as long as the book stands so, as an entity tag: of the whole answer, since
/// it hangs on nothing else but its address.
pub(super) struct Tag(String);

impl Tag {
    pub(super) fn of(epoch: &Epoch, rev: Rev) -> Self {
        Self(format!("\"{epoch}.{}\"", rev.0))
    }

    /// The answer, or `304` to whoever has it already.
    pub(super) fn answer(self, asked: &HeaderMap, answer: impl IntoResponse) -> Response {
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
        let mut known = known.flat_map(|tags| tags.split(','));
        // Proxies that compress make a tag a weak one.
        let is_known = known.any(|tag| tag.trim().trim_start_matches("W/") == self.0);
        let tag = [(header::ETAG, self.0)];
        match is_known {
            true => (StatusCode::NOT_MODIFIED, tag).into_response(),
            false => (tag, answer).into_response(),
        }
    }
}

impl Paging {
    pub(super) fn read(cursor: Option<String>, limit: Option<String>) -> Result<Self, Problem> {
        let limit = read_limit(limit, USUAL_LIMIT, HIGHEST_LIMIT)?;
        let cursor = cursor.map(|cursor| cursor.parse()).transpose();
        Ok(Self { cursor: cursor.map_err(|_| Problem::cursor_expired())?, limit })
    }

    /// Where a pull stands in a restored book that came to its end in the one before, which this book is up to a
    /// rev. In the middle of a pull, what was still to come may stand further back now.
    pub(super) fn in_restored(&self, book: &Book) -> Option<Self> {
        let ended = self.cursor.as_ref().filter(|it| it.last.is_empty() && it.first.is_none())?;
        let fork = book.forks_from(ended.epoch.as_str()).filter(|fork| *fork > Rev(0))?;
        let (epoch, rev) = (book.epoch.clone(), ended.rev.min(fork));
        Some(Self { cursor: Some(Cursor { epoch, rev, ..ended.clone() }), limit: self.limit })
    }

    /// Rows after this (rev, id) come next.
    pub(super) fn after(&self) -> (Rev, &str) {
        match &self.cursor {
            None => (Rev(0), AFTER_ALL_IDS),
            Some(cursor) if cursor.last.is_empty() => (cursor.rev, AFTER_ALL_IDS),
            Some(cursor) => (cursor.rev, &cursor.last),
        }
    }

    /// Refuses a cursor of another book, one that this book has not come to, or one that has missed
    /// tombstones which are gone. A first pull needs only those that came up since its first page.
    pub(super) fn check(&self, epoch: &Epoch, rev: Rev, purged_rev: Rev) -> Result<(), Problem> {
        let is_of_this_book = |cursor: &Cursor| {
            let knows_deletes_to = cursor.first.unwrap_or_else(|| cursor.complete_to());
            cursor.epoch == *epoch && cursor.rev <= rev && knows_deletes_to >= purged_rev
        };
        match &self.cursor {
            Some(cursor) if !is_of_this_book(cursor) => Err(Problem::cursor_expired()),
            _ => Ok(()),
        }
    }
}
