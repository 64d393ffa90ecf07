//! Changing the book by a plan that is no phone's push: under the same guard, read and planned again when
//! another's write came between. What is decided must never live here.

use std::collections::BTreeSet;

use callbook_auth::Access;
use callbook_base::ContactId;
use callbook_contacts::{Changes, Held};
use callbook_dedup::NumberKey;

use crate::app::{App, Moment};
use crate::database::{DatabaseError, Statement};
use crate::problem::Problem;
use crate::sql::devices::Session;
use crate::sql::push::{self, Near};
use crate::sql::{book, devices};

/// What a change comes to.
pub(super) struct Decision<T> {
    /// What is written; nothing when the book is so already.
    pub(super) changes: Option<Changes>,
    /// What is written in the same batch.
    pub(super) with: Vec<Statement>,
    pub(super) answer: T,
}

/// Reads these contacts with their fields, and all that these keys and theirs touch; decides; writes.
pub(super) async fn change<T>(
    app: &App,
    access: &Access,
    moment: Moment,
    (ids, keys): (&[ContactId], &BTreeSet<NumberKey>),
    decide: impl Fn(&Session, Held) -> Result<Decision<T>, Problem>,
) -> Result<T, Problem> {
    for _ in 0..app.settings.tries {
        let reads = vec![push::near(ids, keys, push::MOST_READ), book::read()];
        let (session, rows) = app.session(access, reads).await?;
        let [near, book] = &rows[..] else {
            return Err(DatabaseError::few_answers().into());
        };
        let book = book::read_row(book)?;
        if !book.keys.are_of(app.tables) && !book.keys.are_becoming(app.tables) {
            app.rekey(moment).await?;
            continue;
        }
        let held = Near::read(near)?.of(&book);
        let Decision { changes, with, answer } = decide(&session, held)?;
        let Some(changes) = changes else { return Ok(answer) };
        let guards =
            [book::advance(&book, &changes, app.tables), devices::guard(access.device, moment.now)];
        let writes = guards.into_iter().chain(with).chain(push::writes(&changes));
        match app.database.batch(writes.collect()).await {
            Err(error) if error.is_constraint() => {}
            written => return written.map(|_| answer).map_err(Problem::from),
        }
    }
    Err(Problem::busy(moment))
}
