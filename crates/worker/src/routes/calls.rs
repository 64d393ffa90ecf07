//! Pushing and pulling calls (section 6), and looking for them (section 8).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use callbook_base::{ContactId, Cursor, Place, Rev, Timestamp, UserId};
use callbook_calls::CallId;
use callbook_calls::wire::{
    CallsAnswer, InvalidRequest, PullCallsAnswer, PushCallsAnswer, PushedCalls, RejectedCall,
};

use serde::Deserialize;

use super::listing::{Asked, Listing};
use super::paging::{Paging, Tag};
use crate::app::{App, Body, Caller, Moment};
use crate::database::Statement;
use crate::problem::Problem;
use crate::sql::calls::{self, NewCall};
use crate::sql::people::Search;
use crate::sql::{book, devices};

/// `POST /sync/calls`. One batch: a call is only ever added, so nothing is read to decide.
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Body(body): Body,
) -> Result<Json<PushCallsAnswer>, Problem> {
    let PushedCalls { region, calls } = PushedCalls::read(&body)?;
    let good = calls.iter().flatten().map(|call| NewCall {
        id: CallId::of(access.user, call),
        number: call.phone_number.as_str(),
        region: region.as_str(),
        key: (app.tables.key)(call.phone_number.as_str(), region.as_str()),
        at: call.timestamp.as_millis(),
        duration: call.duration.0,
        direction: call.direction.as_str(),
        line: call.line.as_ref().map(|line| line.as_str()),
    });
    let good: Vec<NewCall<'_>> = good.collect();
    let writes = match good.as_slice() {
        [] => Vec::new(),
        good => vec![calls::insert(&access, good), book::count_calls(app.tables)],
    };
    // The insert asks by itself whether the caller is let in.
    let batch: Vec<Statement> = [devices::session(&access)].into_iter().chain(writes).collect();
    let written = match app.database.batch(batch.clone()).await {
        // The book's keys are of other tables, and nobody has begun to make them anew.
        Err(error) if error.is_constraint() => {
            app.rekey(moment).await?;
            app.database.batch(batch).await
        }
        written => written,
    };
    let rows = written?;
    devices::read_session(&rows[0])?;
    let written = &rows[1..];
    let accepted = written.first().map_or(0, |rows| rows.changes);
    let rejected = calls.iter().enumerate().filter_map(|(index, call)| {
        let detail = call.as_ref().err()?.clone();
        Some(RejectedCall { index, code: "invalid_call".to_owned(), detail })
    });
    Ok(Json(PushCallsAnswer {
        accepted,
        duplicates: good.len() as u64 - accepted,
        rejected: rejected.collect(),
    }))
}

/// `GET /sync/calls`.
pub(super) async fn pull(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    headers: HeaderMap,
    paging: Paging,
) -> Result<Response, Problem> {
    let page = calls::page(paging.after(), paging.limit);
    let (_, rows) = app.session(&access, vec![book::read(), page]).await?;
    let book = book::read_row(&rows[0])?;
    paging.check(&book.epoch, book.calls_rev, Rev(0))?; // no call is ever purged

    let mut calls = calls::read_page(&rows[1])?;
    let has_more = calls.len() as u64 > paging.limit;
    calls.truncate(paging.limit as usize);
    let (rev, last) = match calls.last() {
        Some(call) if has_more => (call.rev, call.id.to_string()),
        _ => (book.calls_rev, String::new()),
    };
    let tag = Tag::of(&book.epoch, book.calls_rev);
    let epoch = book.epoch.to_string();
    let cursor = Cursor { epoch: book.epoch, rev, last, first: None }.to_string();
    Ok(tag.answer(&headers, Json(PullCallsAnswer { epoch, calls, cursor, has_more })))
}

/// The query of `GET /calls`.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Words, all of which are to be found, or digits of a number.
    q: Option<String>,
    /// With a number of this contact.
    contact: Option<ContactId>,
    /// Of this user.
    user: Option<UserId>,
    /// Not before this time.
    from: Option<Timestamp>,
    /// Before this time.
    to: Option<Timestamp>,
    /// `cursor` of the page before; without it the first page.
    cursor: Option<String>,
    /// Rows of a page.
    #[cfg_attr(test, param(value_type = Option<u64>, minimum = 1))]
    limit: Option<String>,
}

impl Wanted {
    pub(super) fn search(&self) -> calls::Wanted {
        calls::Wanted {
            contact: self.contact,
            user: self.user,
            from: self.from.unwrap_or(Timestamp::MIN),
            to: self.to.unwrap_or(Timestamp::MAX),
            search: Search::read(self.q.as_deref().unwrap_or_default()),
        }
    }
}

/// `GET /calls`: everyone's, the latest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<CallsAnswer>, Problem> {
    let search = wanted.search();
    let Listing { after, limit } = Listing::read(wanted.cursor, wanted.limit, 2)?;
    let after = after.as_ref().map(|after| {
        let at = after.0[0].parse::<Timestamp>().map_err(|_| Listing::invalid())?;
        Ok::<_, Problem>((at, after.0[1].as_str()))
    });
    let page = calls::search(&search, after.transpose()?, limit);
    let (_, rows) = app.session(&access, vec![page]).await?;
    let mut calls = calls::read_views(&rows[0])?;
    let has_more = calls.len() as u64 > limit;
    calls.truncate(limit as usize);
    let cursor = calls.last().filter(|_| has_more).map(|last| {
        Place(vec![last.call.call.timestamp.to_string(), last.call.id.to_string()]).to_string()
    });
    Ok(Json(CallsAnswer { calls, cursor }))
}

impl From<InvalidRequest> for Problem {
    fn from(error: InvalidRequest) -> Self {
        match error {
            InvalidRequest::Request(_) => Self::invalid_request(error),
            InvalidRequest::TooManyCalls => Self::too_large(error),
        }
    }
}
