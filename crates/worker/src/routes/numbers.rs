//! Numbers that several contacts share (rule 3.8).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use callbook_contacts::share;
use callbook_contacts::wire::{ShareAnswer, ShareRequest};
use callbook_dedup::{InvalidNumberKey, NumberKey};

use super::TRIES;
use crate::app::{App, Caller, Moment, Read};
use crate::database::DatabaseError;
use crate::problem::Problem;
use crate::sql::push::{self, Near};
use crate::sql::{book, devices, numbers};

/// `PUT /numbers/{key}`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Path(key): Path<String>,
    Read(ShareRequest { shared }): Read<ShareRequest>,
) -> Result<Json<ShareAnswer>, Problem> {
    let key: NumberKey =
        key.parse().map_err(|error: InvalidNumberKey| Problem::not_found(error))?;
    for _ in 0..TRIES {
        let [contacts, claims] = push::near(&[], &[key].into());
        let reads = vec![contacts, claims, book::read()];
        let (session, rows) = app.session(&access, reads).await?;
        let Some((near, [book])) = rows.split_first_chunk() else {
            return Err(DatabaseError::few_answers().into());
        };
        let book = book::read_row(book)?;
        if !book.keys.are_of(app.tables) && !book.keys.are_becoming(app.tables) {
            app.rekey(moment).await?;
            continue;
        }
        let held = Near::read(near)?.of(&book, BTreeMap::new());
        let Some(changes) = share(held, key, shared, moment.now) else {
            return Ok(Json(ShareAnswer { key, shared, rev: book.rev }));
        };
        let mut writes = vec![
            book::advance(&book, &changes, app.tables),
            devices::guard(session.device.id, moment.now),
            numbers::share(key, shared, session.user.id, moment.now),
        ];
        writes.extend(push::writes(&changes));
        match app.database.batch(writes).await {
            Err(error) if error.is_constraint() => {}
            written => {
                written?;
                return Ok(Json(ShareAnswer { key, shared, rev: changes.rev }));
            }
        }
    }
    Err(Problem::busy(moment))
}
