//! Forgetting what is old enough, a step at a time (section 5 for tombstones; the rest is an operator's
//! choice). The daily task of the native server and the Worker's `scheduled` event call the same function;
//! a step that is cut off or comes second does no harm, and the next day goes on where this one ended.

use std::time::Duration;

use crate::app::{App, Moment};
use crate::problem::Problem;
use crate::sql::{audit, calls, devices, guesses, purge};

/// Rows of each kind that one step takes at most.
const STEP: u64 = 1_000;

/// Steps of ten statements each that an invocation of a Worker has room for.
pub const STEPS_OF_A_WORKER: usize = 4;

/// How long things are kept beside tombstones, for which see [`App::tombstones_kept`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What edits superseded: for so long a contact can say again what it said.
    pub history: Duration,
    /// The record of sign-ins and of what admins did.
    pub audit: Duration,
    /// Calls, from when they were made; for ever when nothing is said.
    pub calls: Option<Duration>,
}

/// How much was forgotten, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Contacts that were deleted long ago.
    pub contacts: u64,
    /// What edits superseded.
    pub revisions: u64,
    /// Calls.
    pub calls: u64,
    /// Entries of the audit.
    pub audit: u64,
    /// Refresh tokens that have expired, and guesses that no longer count.
    pub tokens: u64,
    /// Whether there is more.
    pub goes_on: bool,
}

impl App {
    /// Forgets what is old enough, in at most so many steps, each at a moment of its own.
    ///
    /// # Errors
    /// The database fails. What was forgotten stays so, and it can be called again.
    pub async fn forget(
        &self,
        moment: impl Fn() -> Moment,
        steps: usize,
    ) -> Result<Forgotten, Problem> {
        let mut all = Forgotten::default();
        for _ in 0..steps {
            let step = self.forget_a_step(moment()).await?;
            all.contacts += step.contacts;
            all.revisions += step.revisions;
            all.calls += step.calls;
            all.audit += step.audit;
            all.tokens += step.tokens;
            all.goes_on = step.goes_on;
            if !step.goes_on {
                break;
            }
        }
        Ok(all)
    }

    async fn forget_a_step(&self, moment: Moment) -> Result<Forgotten, Problem> {
        let now = moment.now;
        let contacts = self.purge(moment).await? as u64;
        let kept = &self.settings.kept;
        let mut deletes = vec![
            purge::history(now.before(kept.history), STEP),
            audit::purge(now.before(kept.audit), STEP),
            devices::purge_refresh(now),
            guesses::purge(now),
        ];
        deletes.extend(kept.calls.map(|kept| calls::purge(now.before(kept), STEP)));
        let rows = self.batch(deletes).await?;
        let changes = |at: usize| rows.get(at).map_or(0, |rows| rows.changes);
        let (revisions, audit, calls) = (changes(0), changes(1), changes(4));
        let tokens = changes(2) + changes(3);
        let goes_on = contacts > 0 || [revisions, audit, calls].contains(&STEP);
        Ok(Forgotten { contacts, revisions, calls, audit, tokens, goes_on })
    }
}
