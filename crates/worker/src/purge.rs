//! Forgetting tombstones that every phone has seen (section 5 of the protocol), a step at a time while
//! phones sync. Each step is one guarded write that takes a rev, so that no push goes by what is gone.

use std::time::Duration;

use crate::app::{App, Moment};
use crate::database::DatabaseError;
use crate::problem::Problem;
use crate::sql::{book, purge};

/// How long a tombstone is kept at least, and how long a device may be away that is waited for.
pub const TOMBSTONES_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What one step takes at most.
const STEP: u64 = 500;

impl App {
    /// Takes one step: deleted contacts that are older than [`App::tombstones_kept`], and that all devices
    /// seen in that time have pulled, are gone for good, with their history. How many these were; fewer
    /// than asked for again when another's write came between.
    ///
    /// # Errors
    /// The database fails. The step can be taken again.
    pub async fn purge(&self, moment: Moment) -> Result<usize, Problem> {
        let since = moment.now.before(self.tombstones_kept);
        let rows = self.batch(vec![book::read(), purge::old_tombstones(since, STEP)]).await?;
        let [book, old] = rows.as_slice() else {
            return Err(DatabaseError::few_answers().into());
        };
        let (ids, last) = purge::read_tombstones(old)?;
        let Some(last) = last else { return Ok(0) };
        let book = book::read_row(book)?;
        match self.database.batch(purge::purge(&book, &ids, last).to_vec()).await {
            Err(error) if error.is_constraint() => Ok(0),
            written => written.map(|_| ids.len()).map_err(Problem::from),
        }
    }
}
