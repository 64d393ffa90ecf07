//! Numbers that several contacts share (rule 3.8).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use callbook_contacts::share;
use callbook_contacts::wire::{ShareAnswer, ShareRequest};
use callbook_dedup::{InvalidNumberKey, NumberKey};

use super::change::{Decision, change};
use super::listing::Part;
use crate::app::{App, Caller, Moment, Read};
use crate::problem::Problem;
use crate::sql::numbers;

/// `PUT /numbers/{key}`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Part(key): Part,
    Read(ShareRequest { shared }): Read<ShareRequest>,
) -> Result<Json<ShareAnswer>, Problem> {
    let key: NumberKey =
        key.parse().map_err(|error: InvalidNumberKey| Problem::not_found(error))?;
    change(&app, &access, moment, (&[], &[key].into()), |session, held| {
        let rev = held.rev;
        let changes = share(held, key, shared, moment.now);
        let with = vec![numbers::share(key, shared, session.user.id, moment.now)];
        let rev = changes.as_ref().map_or(rev, |changes| changes.rev);
        Ok(Decision { changes, with, answer: ShareAnswer { key, shared, rev } })
    })
    .await
    .map(Json)
}
