//! One run: the service, its phones, and virtual time, on one thread. The same seed makes the same
//! run, event by event.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use callbook_auth::{PasswordCost, Secret, SigningKeys};
use callbook_dedup::Tables;
use callbook_worker::database::Database;
use callbook_worker::older::OLDER;
use callbook_worker::sqlite::Sqlite;
use callbook_worker::{App, Moment, Settings, TOMBSTONES_KEPT};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::LocalSet;

use crate::backups::Backups;
use crate::books::phone_books;
use crate::chances::{Chances, Place};
use crate::check::{self, Difference};
use crate::course::Course;
use crate::database::FarDatabase;
use crate::fault::Fault;
use crate::keys::Keys;
use crate::mix::Mix;
use crate::network::CURRENT;
use crate::order;
use crate::phone::{self, Phone};
use crate::requests;
use crate::rows::Row;
use crate::schema::{Schema, set_up_long_ago};
use crate::script::Script;
use crate::shared::Shared;
use crate::stats::{Stats, Trace};
use crate::tape::PHONE;
use crate::watch::Watch;

/// 2026-11-22T10:00:00Z: when a run begins.
pub(crate) const START: i64 = 1_795_341_600_000;

/// How often, at most, all phones sync after the faults until nothing moves: once to tell, once to hear, and
/// twice more for what their users answer.
const MOST_ROUNDS: u64 = 4;

/// A run that ended.
#[derive(Debug)]
pub struct Outcome {
    /// What happened.
    pub stats: Stats,
    /// 16 hex digits over all of it.
    pub trace: String,
    /// What the check found.
    pub differences: Vec<Difference>,
    /// All that happened, as a script.
    pub script: Script,
    /// How it went, if somebody looked on.
    pub course: Course,
}

impl Outcome {
    /// Another run of the same seed must have been the same.
    pub fn compare(&mut self, again: &Self) {
        if self.trace != again.trace {
            let text = format!("run again, the same seed has the trace {}", again.trace);
            self.differences.push(Difference(text));
        }
    }
}

/// The service's parts, in a simulation.
pub(crate) fn app(database: Arc<dyn Database>, tables: Tables) -> App {
    App {
        database,
        tables,
        keys: SigningKeys::new("a secret of more than thirty-two bytes", None)
            .expect("it is long enough"),
        tombstones_kept: TOMBSTONES_KEPT,
        setup_token: Some(Secret::from("let me in")),
        password_cost: PasswordCost::SIMULATED,
        settings: Settings::default(),
    }
}

thread_local! {
    static FIRST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Lets panics within runs be differences and nothing else: while a script is made short there are
/// hundreds. For the whole process.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        FIRST_PANIC.with_borrow_mut(|first| {
            first.get_or_insert_with(|| panic.to_string().replace('\n', " "));
        });
    }));
}

/// Runs a seed to its end. `progress` is told the share that is done, from 0 to 1. A panic is a
/// difference like others: it has the seed that repeats it.
pub fn run(seed: u64, mix: &Mix, rows: &[Row], progress: impl Fn(f64)) -> Outcome {
    run_watched(seed, mix, rows, &Arc::default(), progress)
}

/// The same, while somebody looks on.
pub fn run_watched(
    seed: u64,
    mix: &Mix,
    rows: &[Row],
    watch: &Arc<Watch>,
    progress: impl Fn(f64),
) -> Outcome {
    let chances = Chances::new(seed, mix.team_rates(), None, false);
    run_by(Arc::new(chances), (seed, mix), rows, watch, progress)
}

/// Runs a script, and tells in the script of its outcome what happened at its places.
pub fn replay(script: &Script, rows: &[Row], watch: &Arc<Watch>) -> Outcome {
    let Script { remarks, seed, mix, kept, .. } = script;
    let chances = Chances::new(*seed, mix.team_rates(), Some(kept.clone()), true);
    let mut outcome = run_by(Arc::new(chances), (*seed, mix), rows, watch, |_| {});
    outcome.script.remarks = remarks.clone();
    outcome
}

fn run_by(
    chances: Arc<Chances>,
    (seed, mix): (u64, &Mix),
    rows: &[Row],
    watch: &Arc<Watch>,
    progress: impl Fn(f64),
) -> Outcome {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without threads or sockets");
        let world = world(chances.clone(), (seed, mix), rows, watch, progress);
        runtime.block_on(LocalSet::new().run_until(world))
    };
    let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        // A panic makes others; the first is the one to look at.
        let first = FIRST_PANIC.take().unwrap_or_else(|| format!("a panic: {text}"));
        let differences = vec![Difference(first)];
        (Stats::default(), Trace::default().finish(), differences)
    });
    let (stats, trace, differences) = ended;
    let (kept, notes) = chances.tell();
    let script = Script { remarks: Vec::new(), seed, mix: mix.clone(), kept, notes };
    Outcome { stats, trace, differences, script, course: watch.course() }
}

async fn world(
    chances: Arc<Chances>,
    (seed, mix): (u64, &Mix),
    rows: &[Row],
    watch: &Arc<Watch>,
    progress: impl Fn(f64),
) -> (Stats, String, Vec<Difference>) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let (books, keys) = phone_books((&chances, mix), rows, &mut chance);
    let release_at = release_at(&chances);
    let tables = if release_at.is_some() { OLDER } else { Tables::CURRENT };
    let (shared, database, mut schema) = service((chances, watch), mix, (keys, tables));
    match schema.is_older() {
        false => shared.set_up(mix.users, &mut chance).await,
        true => {
            let sqlite = database.sqlite();
            set_up_long_ago(&shared, &sqlite, tables, mix.users, &mut chance).await;
        }
    }
    shared.book_begins(&database.sqlite());

    // People live with their phones while things go wrong, then the faults stop.
    shared.calm_down(false);
    let end = shared.now().after(mix.until_calm());
    let books = books.into_iter().enumerate();
    let phones = books.filter(|(index, _)| shared.chances.has_phone(*index as u32));
    let phones = phones.map(|(index, book)| {
        let phone = Phone::new(index, index % mix.users, shared.clone());
        tokio::task::spawn_local(PHONE.scope(index, phone::live(phone, book, end)))
    });
    let living: Vec<_> = phones.collect();
    let release = || {
        shared.fault(Fault::ReleaseRekeys);
        shared.deploy(|| app(database.clone(), Tables::CURRENT));
    };
    let mut backups = Backups::default();
    for step in 0..mix.steps {
        if release_at == Some(step) {
            release();
        }
        tokio::time::sleep(mix.step()).await;
        let mut chance = shared.chances.at(Place::Step(step));
        backups.pass_by(step, &mut chance, (&shared, &database, &schema)).await;
        purge(&shared, &database, chance.random()).await;
        if shared.strikes(Place::Step(step), Fault::CpuLimit, &mut chance) {
            shared.limit_work(&mut chance);
        }
        schema.pass_by(step, &mut chance, (&shared, &database.sqlite()));
        shared.watch().sample(shared.now(), || check::digest(&database.sqlite()));
        progress(0.9 * f64::from(step + 1) / f64::from(mix.steps));
    }
    // A script may have been cut before these came.
    if release_at.is_some_and(|at| at >= mix.steps) {
        release();
    }
    schema.end(mix.steps, (&shared, &database.sqlite()));
    let mut phones = Vec::new();
    for phone in living {
        phones.push(phone.await.expect("a phone that fails stops the run"));
    }
    shared.calm_down(true);
    shared.enable_all(&mut chance).await;
    let rounds = quieten(&shared, &mut phones, &progress).await;

    let sqlite = database.sqlite();
    if let Some(log) = &shared.watch().requests {
        log.book(&sqlite).await;
    }
    phones.iter().for_each(Phone::tell);
    shared.watch().sample(shared.now(), || check::digest(&sqlite));

    let (restores, _) = shared.restores();
    let mut differences = check::all(&sqlite, &shared.inner().model, &phones, restores);
    let in_order = order::differences(&shared.inner().model, &mut chance);
    differences.extend(in_order.into_iter().take(3));
    if rounds > MOST_ROUNDS {
        let what = format!("phones still had something to say after {MOST_ROUNDS} rounds of syncs");
        differences.insert(0, Difference(what));
    }
    progress(1.0);
    shared.undeploy();
    let (mut stats, trace) = shared.end();
    (stats.visible, stats.hidden, stats.deleted, stats.stored_calls) = check::counts(&sqlite);
    stats.last_rounds = rounds;
    stats.last_syncs = phones.iter().map(|phone| phone.last_syncs().into()).max().unwrap_or(0);
    (stats, trace, differences)
}

/// As its host does once a day: forgets old tombstones. The database may fail; there is a next time.
async fn purge(shared: &Shared, database: &Arc<FarDatabase>, seed: [u8; 32]) {
    let tombstones_kept = shared.mix().tombstones_kept;
    let app = App { tombstones_kept, ..app(database.clone(), Tables::CURRENT) };
    let moment = Moment { now: shared.now(), seed };
    let act = Arc::new(requests::purge(moment.now, tombstones_kept));
    let place = shared.arrived(&act, seed);
    let purged = CURRENT.scope(act, app.purge(moment)).await;
    shared.told(|log| log.answered(place, &requests::purged(purged.ok())));
}

/// The real service on a far database, before its set-up.
fn service(
    (chances, watch): (Arc<Chances>, &Arc<Watch>),
    mix: &Mix,
    (keys, tables): (Keys, Tables),
) -> (Arc<Shared>, Arc<FarDatabase>, Schema) {
    let shared = Arc::new(Shared::new((chances, watch), mix, (keys, tables)));
    let sqlite = Arc::new(Sqlite::in_memory().expect("SQLite has memory"));
    let schema = Schema::begin(&shared, &sqlite);
    let database = Arc::new(FarDatabase::new(sqlite, shared.clone()));
    shared.deploy(|| app(database.clone(), tables));
    (shared, database, schema)
}

/// In which hundredth of the run a release comes whose numbering tables are others, in its middle: the service
/// begins with older ones.
fn release_at(chances: &Chances) -> Option<u32> {
    (20..70).find(|step| chances.strikes_alone(Place::Step(*step), Fault::ReleaseRekeys).is_some())
}

/// Lets every phone sync until a whole round changes nothing; how many rounds that took.
async fn quieten(shared: &Arc<Shared>, phones: &mut [Phone], progress: &impl Fn(f64)) -> u64 {
    // Requests that are still on their way arrive first.
    tokio::time::sleep(Duration::from_secs(30 * 60)).await;
    let mut before = None;
    for round in 1..=MOST_ROUNDS {
        for phone in &mut *phones {
            phone.settle().await;
        }
        progress(0.9 + 0.05 * (1.0 - 0.5_f64.powi(i32::try_from(round).unwrap_or(9))));
        let inner = shared.inner();
        let now =
            Some((inner.model.rev, inner.model.calls.len(), phones.iter().all(Phone::is_quiet)));
        drop(inner);
        if now == before && now.is_some_and(|(.., quiet)| quiet) {
            return round;
        }
        before = now;
    }
    MOST_ROUNDS + 1
}

/// A generator of its own for a part of the world, so that a change of one part leaves the others'.
pub(crate) fn split(chance: &mut ChaCha8Rng) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(chance.random())
}
