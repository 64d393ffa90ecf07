//! The service's database as a far and failing one: the real SQL on the real SQLite adapter, with
//! waiting, errors, and answers that are lost after the commit. It alone knows what was committed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callbook_worker::database::{BatchFuture, Database, Rows, Statement, Value};
use callbook_worker::far::{self, Words};
use callbook_worker::older::OLDER;
use callbook_worker::sqlite::Sqlite;
use rand::RngExt;

use crate::chances::Place;
use crate::cost::Cost;
use crate::fault::Fault;
use crate::network::{CURRENT, Delivered};
use crate::shared::Shared;

/// SQLite behind a failing network.
pub(crate) struct FarDatabase {
    sqlite: Mutex<Arc<Sqlite>>,
    shared: Arc<Shared>,
    /// Batches of no phone's request, so far.
    others: AtomicU32,
}

/// What becomes of one batch.
struct Fate {
    before: Duration,
    after: Duration,
    is_slow: bool,
    /// Whether a write to the book waits until another's came first.
    is_overtaken: bool,
    itself: far::Fate,
}

impl FarDatabase {
    pub(crate) fn new(sqlite: Arc<Sqlite>, shared: Arc<Shared>) -> Self {
        Self { sqlite: Mutex::new(sqlite), shared, others: AtomicU32::new(0) }
    }

    /// As it is now, without faults.
    pub(crate) fn sqlite(&self) -> Arc<Sqlite> {
        self.sqlite.lock().expect("no thread panics with it").clone()
    }

    /// From now on it is another: a backup that was put back.
    pub(crate) fn becomes(&self, sqlite: Arc<Sqlite>) {
        *self.sqlite.lock().expect("no thread panics with it") = sqlite;
    }

    /// The place of the next batch.
    fn place(&self) -> Place {
        let next = |count: &AtomicU32| count.fetch_add(1, Ordering::Relaxed);
        let of_request = CURRENT.try_with(|within| match within.place {
            Some(Place::Request(phone, n)) => Some(Place::Batch(phone, n, next(&within.batches))),
            _ => None,
        });
        of_request.ok().flatten().unwrap_or_else(|| Place::Desk(next(&self.others)))
    }

    /// Waits until another request has changed the book, if one does so before the phone gives up.
    async fn let_others_by(&self) {
        let rev = || self.shared.inner().model.rev;
        let before = rev();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if rev() != before {
                return self.shared.fault(Fault::Overtaken);
            }
        }
    }

    fn fate(&self) -> Fate {
        let place = self.place();
        let mut chance = self.shared.chances.at(place);
        let mut delay = || {
            Duration::from_millis(match chance.random_range(0..100) {
                0 => chance.random_range(100..2_000),
                1..10 => chance.random_range(10..100),
                _ => chance.random_range(0..10),
            })
        };
        let slowness = if self.shared.calm() { 1 } else { self.shared.mix().slowness };
        let (mut before, after) = (delay() * slowness, delay() * slowness);
        let mut strikes = |fault| self.shared.strikes(place, fault, &mut chance);
        let fails = strikes(Fault::DatabaseFailed);
        let answer_is_lost = !fails && strikes(Fault::DatabaseAnswerLost);
        let is_slow = strikes(Fault::DatabaseSlow);
        if is_slow {
            before += Duration::from_secs(chance.random_range(5..90));
        }
        let words = Words::nth(chance.random_range(0..Words::COUNT));
        let itself = match () {
            () if fails => far::Fate::Fails(words),
            () if answer_is_lost => far::Fate::AnswerLost(words),
            () => far::Fate::Arrives,
        };
        let is_overtaken = self.shared.strikes_at(place, Fault::Overtaken).is_some();
        Fate { before, after, is_slow, is_overtaken, itself }
    }
}

impl Database for FarDatabase {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        Box::pin(async move {
            let fate = self.fate();
            if fate.is_slow {
                self.shared.fault(Fault::DatabaseSlow);
            }
            tokio::time::sleep(fate.before).await;
            let changes_book = statements.iter().any(|it| it.sql.starts_with("UPDATE book "));
            if changes_book && fate.is_overtaken {
                self.let_others_by().await;
            }
            self.shared.stats(|stats| stats.events += 1);
            charge(|cost| cost.sent(&statements));
            note_turn(self.shared.turn(), fate.itself);
            if let Err(error) = fate.itself.before() {
                self.shared.fault(Fault::DatabaseFailed);
                return Err(error);
            }
            let writes = statements.iter().any(is_write);
            let rekeyed = statements.iter().find_map(Rekeyed::by);
            let purged = statements.iter().find_map(purged);
            let signed_in = statements.iter().find_map(signed_in);
            let given = statements.iter().find_map(token_given);
            let acked = statements.iter().find_map(acked);
            let answer = self.sqlite().batch(statements).await;
            charge(|cost| answer.iter().for_each(|answer| cost.done(answer)));
            let changed = |answer: &Vec<Rows>| answer.iter().any(|rows| rows.changes > 0);
            if let (Some((device, user, older)), Ok(_)) = (&signed_in, &answer) {
                self.shared.signed_in(device, user, older.as_deref());
            }
            if let (Some(device), Ok(_)) = (&given, &answer) {
                self.shared.gives_token(device);
            }
            if let (Some(ids), Ok(_)) = (&purged, &answer) {
                self.shared.purged(ids);
            }
            if writes && answer.as_ref().is_ok_and(changed) {
                let committed: Option<Arc<Delivered>> = CURRENT.try_with(Arc::clone).ok();
                match (committed, &rekeyed) {
                    (Some(within), Some(step)) => self.shared.rekeyed(step, within.now),
                    (Some(delivered), None) => self.shared.committed(delivered, acked),
                    (None, _) => {}
                }
            }
            if writes && answer.is_ok() {
                self.shared.check_commit(&self.sqlite(), changes_book);
            }
            tokio::time::sleep(fate.after).await;
            if writes && answer.is_ok() && matches!(fate.itself, far::Fate::AnswerLost(_)) {
                self.shared.fault(Fault::DatabaseAnswerLost);
            }
            fate.itself.after(answer)
        })
    }
}

/// Adds to what the request that the service is working on has cost.
fn charge(add: impl FnOnce(&mut Cost)) {
    // Outside of a request nothing is counted.
    let _ = CURRENT.try_with(|sent| add(&mut sent.cost.lock().expect("a run has one thread")));
}

/// Notes for a trace which batch of all this was, and what became of it.
fn note_turn(turn: u64, fate: far::Fate) {
    let _ = CURRENT
        .try_with(|sent| sent.turns.lock().expect("a run has one thread").push((turn, fate)));
}

/// A step of re-keying, as its guard tells it: the contacts after an id, up to another; to the end when
/// there is none.
pub(crate) struct Rekeyed {
    /// Whether the older release has taken it: one of its requests was still on its way.
    pub(crate) is_older: bool,
    pub(crate) after: String,
    pub(crate) to: Option<String>,
}

impl Rekeyed {
    fn by(statement: &Statement) -> Option<Self> {
        if !statement.sql.contains("rekey_contact = ?6") {
            return None;
        }
        let text = |index| text(statement, index);
        let goes_on = text(1) == text(4);
        let is_older = text(4).as_deref() == Some(OLDER.version);
        Some(Self { is_older, after: text(2).filter(|_| goes_on).unwrap_or_default(), to: text(5) })
    }
}

/// The device that a statement makes, its user, and the device that it says it replaces.
fn signed_in(statement: &Statement) -> Option<(String, String, Option<String>)> {
    let makes = statement.sql.starts_with("INSERT INTO devices ");
    makes.then(|| Some((text(statement, 0)?, text(statement, 1)?, text(statement, 5))))?
}

/// The device that a statement gives a refresh token.
fn token_given(statement: &Statement) -> Option<String> {
    let gives = statement.sql.starts_with("INSERT INTO refresh_tokens ");
    gives.then(|| text(statement, 1))?
}

/// Up to which op a statement says that a device's ops were taken.
fn acked(statement: &Statement) -> Option<u64> {
    if !statement.sql.contains("acked_op = ?4") {
        return None;
    }
    match statement.params[2] {
        Value::Real(acked) => Some(acked as u64),
        _ => None,
    }
}

/// The contacts that a statement removes for good.
fn purged(statement: &Statement) -> Option<Vec<String>> {
    let purges = statement.sql.starts_with("DELETE FROM contacts ");
    let ids = purges.then(|| text(statement, 0))??;
    Some(serde_json::from_str(&ids).expect("ids are a list of texts"))
}

fn text(statement: &Statement, index: usize) -> Option<String> {
    match &statement.params[index] {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn is_write(statement: &Statement) -> bool {
    let verb = statement.sql.trim_start().split(' ').next().unwrap_or_default();
    // That a guess at a password is counted, and noted when it was wrong, is not what was asked for.
    let is_aside = [" guesses", " audit"].iter().any(|table| statement.sql.contains(table));
    matches!(verb, "INSERT" | "UPDATE" | "DELETE") && !is_aside
}
