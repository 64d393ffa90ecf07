//! How the book and its service stand: figures, the audit, and whether it works (section 8).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use callbook_auth::wire::{AuditAnswer, AuditEntry};
use callbook_base::{Place, Rev, Timestamp};
use serde::Serialize;

use super::listing::{Asked, Listing, PageQuery};
use crate::app::{App, Caller};
use crate::problem::Problem;
use crate::sql::{audit, book, people, users};

/// The answer to `GET /health`.
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[derive(Serialize)]
pub(super) struct HealthAnswer {
    /// `ok`; what is not, is a problem.
    status: &'static str,
    /// Of the service.
    version: &'static str,
    /// Whether there is an admin.
    set_up: bool,
}

/// `GET /health`: asks the database one question. Anybody may ask.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Json<HealthAnswer>, Problem> {
    let rows = app.batch(vec![users::any()]).await?;
    let set_up = !rows[0].is_empty();
    Ok(Json(HealthAnswer { status: "ok", version: env!("CARGO_PKG_VERSION"), set_up }))
}

/// The answer to `GET /stats`.
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[derive(Serialize)]
pub(super) struct StatsAnswer {
    epoch: String,
    rev: Rev,
    /// When the book changed last.
    changed_at: Timestamp,
    contacts: ContactStats,
    calls: u64,
    /// Who may sign in.
    users: u64,
    /// Those that have not ended.
    devices: u64,
    shared_numbers: u64,
}

/// How many contacts there are of each state.
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[derive(Serialize)]
pub(super) struct ContactStats {
    visible: u64,
    hidden: u64,
    deleted: u64,
}

/// `GET /stats`.
pub(super) async fn stats(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
) -> Result<Json<StatsAnswer>, Problem> {
    let (_, rows) = app.session(&access, vec![book::read(), people::stats()]).await?;
    let book = book::read_row(&rows[0])?;
    let row = rows[1].first().ok_or_else(crate::database::DatabaseError::few_answers)?;
    Ok(Json(StatsAnswer {
        epoch: book.epoch.to_string(),
        rev: book.rev,
        changed_at: book.clock,
        contacts: ContactStats {
            visible: book.visible,
            hidden: row.count("hidden")?,
            deleted: row.count("deleted")?,
        },
        calls: row.count("calls")?,
        users: row.count("users")?,
        devices: row.count("devices")?,
        shared_numbers: row.count("shared_numbers")?,
    }))
}

/// `GET /audit`, for admins: the latest first.
pub(super) async fn audit(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    Asked(asked): Asked<PageQuery>,
) -> Result<Json<AuditAnswer>, Problem> {
    let Listing { after, limit } = Listing::read(asked.cursor, asked.limit, 2)?;
    let before = after.as_ref().map(|after| {
        let at = after.0[0].parse::<Timestamp>().map_err(|_| Listing::invalid())?;
        Ok::<_, Problem>((at, after.0[1].as_str()))
    });
    let page = audit::page(before.transpose()?, limit);
    let (session, rows) = app.session(&access, vec![page]).await?;
    session.admin()?;
    let mut entries = audit::read_page(&rows[0])?;
    let has_more = entries.len() as u64 > limit;
    entries.truncate(limit as usize);
    let cursor = entries.last().filter(|_| has_more);
    let cursor =
        cursor.map(|(id, entry)| Place(vec![entry.at.to_string(), id.clone()]).to_string());
    let entries: Vec<AuditEntry> = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok(Json(AuditAnswer { entries, cursor }))
}
