//! Pushing and pulling contacts (sections 4, 5 and 9).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use callbook_auth::Access;
use callbook_base::{ContactId, Cursor, Rev};
use callbook_contacts::wire::{InvalidRequest, MOST_NAMED, PullAnswer, PushAnswer};
use callbook_contacts::{Facts, PlanError, Push, plan};
use serde::Deserialize;

use super::listing::Asked;
use super::paging::{Paging, Tag};
use crate::app::{App, Body, Caller, Moment};
use crate::database::Rows;
use crate::problem::Problem;
use crate::sql::book::Book;
use crate::sql::contacts::{Page, Pull};
use crate::sql::push::{self, Touched};
use crate::sql::{book, contacts, devices};

/// `POST /sync/contacts`.
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Body(body): Body,
) -> Result<Json<PushAnswer>, Problem> {
    let push = Push::read(&body)?;
    for _ in 0..app.settings.tries {
        let Found { book, facts, took_a_step } = read(&app, &access, &push, moment).await?;
        if let Some(fork) = push.epoch.as_deref().and_then(|known| book.forks_from(known)) {
            let detail = "the book was restored from a backup: pull what has changed";
            return Err(Problem::new(StatusCode::CONFLICT, "epoch_changed", detail)
                .with("epoch", book.epoch.as_str())
                .with("acked_seq", facts.device.acked_seq)
                .with("rev", fork.0));
        }
        let plan = plan(&facts, &push, moment.now)?;

        let mut writes = Vec::new();
        if plan.changes.rev != facts.held.rev {
            writes.push(book::advance(&book, &plan.changes, app.tables));
        }
        if plan.device != facts.device {
            writes.push(devices::acknowledge(
                facts.id,
                &facts.device,
                &plan.device,
                (&book.epoch, plan.changes.rev),
                moment.now,
            ));
        }
        writes.extend(push::writes(&plan.changes));
        let written = match writes.is_empty() {
            true => Ok(Vec::new()),
            false => app.database.batch(writes).await,
        };
        match written {
            // With a step of re-keying, another try would be more than D1's fifty statements.
            Err(error) if error.is_constraint() && took_a_step => break,
            Err(error) if error.is_constraint() => continue,
            written => written?,
        };
        let (epoch, acked_seq) = (book.epoch.to_string(), plan.device.acked_seq);
        let rev = plan.changes.rev;
        return Ok(Json(PushAnswer { epoch, acked_seq, rev, results: plan.results }));
    }
    Err(Problem::busy(moment))
}

/// What the read batch of a push gave.
struct Found {
    book: Book,
    /// What the plan goes by.
    facts: Facts,
    /// Whether the book was first taken a step on towards its keys.
    took_a_step: bool,
}

/// The read batch of a push. A book that has yet to get its keys is first taken a step on.
async fn read(app: &App, access: &Access, push: &Push, moment: Moment) -> Result<Found, Problem> {
    let mut reads = vec![book::read()];
    if !push.ops.is_empty() {
        reads.extend(push::reads(push, access.device, app.tables));
    }
    let (mut session, mut rows) = app.session(access, reads.clone()).await?;
    let mut book = book::read_row(&rows[0])?;
    let took_a_step = !book.keys.are_of(app.tables);
    if took_a_step {
        app.rekey(moment).await?;
        (session, rows) = app.session(access, reads).await?;
        book = book::read_row(&rows[0])?;
    }
    let touched = match &rows[1..] {
        [] => Touched::default(),
        rows => Touched::read(rows)?,
    };
    let facts = Facts {
        held: touched.near.of(&book),
        tables: app.tables,
        user: session.user.id,
        id: session.device.id,
        lineage: touched.lineage,
        device: session.pushes,
        edited_by_others: touched.edited_by_others,
    };
    Ok(Found { book, facts, took_a_step })
}

/// The query of a pull.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct PullQuery {
    /// `cursor` of the page before; without it the first page. After a restore, the last one of the book before.
    cursor: Option<String>,
    /// Rows of a page.
    #[cfg_attr(test, param(value_type = Option<u64>, minimum = 1))]
    limit: Option<String>,
    /// Contacts to be told of beside the page, unless they are above the cursor: ids with commas between, at most
    /// 200. One that the book does not know is a tombstone of rev 0. What has no room is left out.
    ids: Option<String>,
}

impl PullQuery {
    fn names(&self) -> Result<Vec<ContactId>, Problem> {
        let Some(ids) = &self.ids else { return Ok(Vec::new()) };
        let names: Option<Vec<ContactId>> = ids.split(',').map(|id| id.parse().ok()).collect();
        names.filter(|names| names.len() <= MOST_NAMED).ok_or_else(|| {
            let detail = format!("ids are 1 to {MOST_NAMED} ids of contacts, with commas between");
            Problem::invalid_request(detail)
        })
    }
}

fn kind(paging: &Paging) -> Pull {
    match &paging.cursor {
        None => Pull::First,
        Some(Cursor { first: Some(first), .. }) => Pull::FirstFrom(*first),
        Some(_) => Pull::Later,
    }
}

/// The book's row, a page, and the contacts that were asked for by name, if any were. What the cursor tells of the
/// device is noted.
async fn read_page(
    app: &App,
    access: &Access,
    paging: &Paging,
    names: &[ContactId],
    moment: Moment,
) -> Result<(Book, Vec<Rows>), Problem> {
    let mut batch = vec![book::read(), contacts::page(paging.after(), kind(paging), paging.limit)];
    if !names.is_empty() {
        batch.push(contacts::named(names, paging.after()));
    }
    let told = paging.cursor.as_ref();
    batch.extend(told.and_then(|cursor| devices::pulled(access.device, cursor, moment.now)));
    let (_, rows) = app.session(access, batch).await?;
    Ok((book::read_row(&rows[0])?, rows))
}

/// `GET /sync/contacts`.
pub(super) async fn pull(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    headers: HeaderMap,
    Asked(query): Asked<PullQuery>,
) -> Result<Response, Problem> {
    let names = query.names()?;
    let mut paging = Paging::read(query.cursor, query.limit)?;
    let (mut book, mut rows) = read_page(&app, &access, &paging, &names, moment).await?;
    if let Some(cut) = paging.in_restored(&book) {
        paging = cut;
        (book, rows) = read_page(&app, &access, &paging, &names, moment).await?;
    }
    paging.check(&book.epoch, book.rev, book.purged_rev)?;
    if !book.keys.are_of(app.tables) {
        app.rekey(moment).await?; // what it changes is for the next pull
    }

    let pull = kind(&paging);
    let Page { rows, last, has_more } =
        contacts::read_page(&rows[1], rows.get(2).filter(|_| !names.is_empty()))?;
    let (rev, last, first) = match last {
        Some((rev, id)) if has_more => {
            let first = match pull {
                Pull::First => Some(book.rev),
                Pull::FirstFrom(rev) => Some(rev),
                Pull::Later => None,
            };
            (rev, id.to_string(), first)
        }
        _ => (book.rev, String::new(), None::<Rev>),
    };
    let answer = PullAnswer {
        contacts: Vec::new(),
        cursor: Cursor { epoch: book.epoch.clone(), rev, last, first }.to_string(),
        epoch: book.epoch.to_string(),
        has_more,
        digest: (!has_more).then_some(book.digest),
        rev: book.rev,
        calls_rev: (!has_more).then_some(book.calls_rev),
    };
    let json = ([(header::CONTENT_TYPE, "application/json")], rows.into_answer(&answer));
    Ok(Tag::of(&book.epoch, book.rev).answer(&headers, json))
}

impl From<InvalidRequest> for Problem {
    fn from(error: InvalidRequest) -> Self {
        match error {
            InvalidRequest::Request(_) => Self::invalid_request(error),
            InvalidRequest::Op { .. } => Self::new(StatusCode::BAD_REQUEST, "invalid_op", error),
            InvalidRequest::TooManyOps => Self::too_large(error),
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::OpGap { expected } => {
                Self::new(StatusCode::CONFLICT, "op_gap", error).with("expected", expected)
            }
            PlanError::OpReused => Self::new(StatusCode::CONFLICT, "op_reused", error),
        }
    }
}
