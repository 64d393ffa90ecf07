//! One run: the service, its phones, and virtual time, on one thread. The same seed makes the same
//! run, event by event.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use base64::Engine as _;
use callbook_auth::{PasswordCost, Secret, SigningKeys};
use callbook_base::Timestamp;
use callbook_dedup::Tables;
use callbook_device::{Pool, Request, Response};
use callbook_worker::database::Database;
use callbook_worker::sqlite::Sqlite;
use callbook_worker::{App, MIGRATIONS, Moment, Settings, TOMBSTONES_KEPT, router};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::backups::Backups;
use crate::chances::{Chances, Place};
use crate::check::{self, Difference};
use crate::cost;
use crate::course::Course;
use crate::coverage::operation;
use crate::database::{FarDatabase, Rekeyed};
use crate::fault::Fault;
use crate::mix::Mix;
use crate::model::{Keys, Made, Model, Push};
use crate::network::{self, CURRENT, Delivered, Fate};
use crate::order;
use crate::phone::{self, Phone};
use crate::requests::{self, RequestLog};
use crate::rows::Row;
use crate::safety::Epochs;
use crate::script::Script;
use crate::spelling::{Spelling, respell};
use crate::stats::{Stats, Trace};
use crate::store::PhoneStore;
use crate::tables::{OLDER, older};
use crate::tape::PHONE;
use crate::watch::Watch;

/// 2026-11-22T10:00:00Z: when a run begins.
pub(crate) const START: i64 = 1_795_341_600_000;

/// Everybody's, in a simulation.
pub(crate) const PASSWORD: &str = "correct horse battery";

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

/// What all parts of a run share.
pub(crate) struct Shared {
    started: Instant,
    mix: Mix,
    pub(crate) chances: Arc<Chances>,
    watch: Arc<Watch>,
    calm: AtomicBool,
    /// Until then, in milliseconds since 1970, nobody gets through.
    partition_until: AtomicI64,
    router: Mutex<Option<Router>>,
    /// How many batches there were.
    turns: AtomicU64,
    /// What phones have pulled.
    pub(crate) pool: Pool,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    stats: Stats,
    trace: Trace,
    pub(crate) model: Model,
    pub(crate) epochs: Epochs,
    /// Of each user, what the last of their phones has that somebody might copy.
    to_clone: BTreeMap<usize, PhoneStore>,
    /// How often the book was put back from a backup, and the rev to which the last time took it.
    restores: (u64, u64),
}

impl Shared {
    /// The true time.
    pub(crate) fn now(&self) -> Timestamp {
        let since = self.started.elapsed().as_millis();
        Timestamp::from_millis(START + i64::try_from(since).unwrap_or(i64::MAX))
    }

    /// Whether the faults have stopped.
    pub(crate) fn calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Whether nobody gets through.
    pub(crate) fn is_parted(&self) -> bool {
        !self.calm() && self.now().as_millis() < self.partition_until.load(Ordering::Relaxed)
    }

    /// From now on for so long nobody gets through.
    pub(crate) fn part(&self, time: Duration) {
        self.fault(Fault::Partition);
        self.partition_until.store(self.now().after(time).as_millis(), Ordering::Relaxed);
    }

    /// Whether a fault strikes there; none does when the faults have stopped.
    pub(crate) fn strikes(&self, place: Place, fault: Fault, chance: &mut ChaCha8Rng) -> bool {
        !self.calm() && self.chances.strikes(place, fault, chance)
    }

    /// Something to say of what happens at a place now.
    pub(crate) fn note(&self, place: Place, text: impl FnOnce() -> String) {
        let minutes = self.now().millis_since(Timestamp::from_millis(START)) / 60_000;
        let (day, hour, minute) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        self.chances.note(place, || format!("day {day} {hour:02}:{minute:02} {}", text()));
    }

    /// Whoever looks on.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn mix(&self) -> &Mix {
        &self.mix
    }

    pub(crate) fn router(&self) -> Router {
        let router = self.router.lock().expect("a run has one thread").clone();
        router.expect("the service is there before its phones")
    }

    pub(crate) fn stats(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.inner().stats);
    }

    /// Counts a fault, at the request that the service is working on, if it is.
    pub(crate) fn fault(&self, fault: Fault) {
        let at = CURRENT.try_with(|sent| operation(&sent.path, !sent.body.is_empty()));
        self.fault_at(fault, at.ok().flatten());
    }

    /// Counts a fault, at a kind of request.
    pub(crate) fn fault_at(&self, fault: Fault, operation: Option<&'static str>) {
        self.stats(|stats| stats.fault(fault, operation));
        if let Some(tape) = &self.watch.tape {
            tape.fault(fault, self.now());
        }
    }

    /// A fault of the network, to a request of a phone.
    pub(crate) fn fault_on_the_way(&self, fault: Fault, phone: usize, sent: &Request) {
        let operation = operation(&sent.path, sent.body.is_some());
        self.stats(|stats| stats.fault(fault, operation));
        if let Some(tape) = &self.watch.tape {
            tape.fault_on_the_way(fault, phone, sent, self.now());
        }
    }

    /// A request that the service has got, with its share of chance; its place among all.
    pub(crate) fn arrived(&self, sent: &Arc<Delivered>, seed: [u8; 32]) -> u64 {
        self.watch.requests.as_ref().map_or(0, |log| log.arrived(sent.clone(), seed))
    }

    /// Something to note in the trace, if there is one.
    pub(crate) fn told(&self, note: impl FnOnce(&RequestLog)) {
        if let Some(log) = &self.watch.requests {
            note(log);
        }
    }

    /// The place of a batch, or of another act on the whole book, among all.
    pub(crate) fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// A request that the service has answered.
    pub(crate) fn answered(&self, place: u64, sent: &Delivered, answer: &Response) {
        if let Some(log) = &self.watch.requests {
            log.answered(place, answer);
        }
        let cost = sent.cost(answer);
        let mut inner = self.inner();
        inner.stats.cost(&cost);
        let excess = cost::excess(sent, &cost, inner.model.contacts.len());
        inner.model.violations.extend(excess);
        if let Some(tape) = &self.watch.tape {
            tape.answered(sent, answer, self.now());
            let violation = inner.model.violations.first();
            violation.iter().for_each(|text| tape.differs(self.now(), text));
        }
        let Some(place) = sent.place else { return };
        inner.stats.requests += 1;
        inner.stats.events += 2;
        let line = format!("{} {place} {} {}", self.now().as_millis(), sent.path, answer.status);
        inner.trace.note(line.as_bytes());
        inner.trace.note(&sent.body);
        inner.trace.note(&answer.body);
    }

    /// A request whose write the database has committed.
    pub(crate) fn committed(&self, sent: Arc<Delivered>) {
        let Some(claims) = sent.bearer.as_deref().and_then(claims) else { return };
        let (Some(user), Some(device)) = (claims["sub"].as_str(), claims["device"].as_str()) else {
            return;
        };
        let push = |body| Push { device, user, now: sent.now.as_millis(), body };
        let read = || serde_json::from_slice(&sent.body).expect("phones send JSON");
        let mut inner = self.inner();
        if inner.model.has_ended(device) {
            let path = &sent.path;
            let text = format!("device {device} was revoked, and has written since: {path}");
            inner.model.violations.push(text);
        }
        match sent.path.as_str() {
            "/sync/contacts" => inner.model.push_contacts(&push(read())),
            "/sync/calls" => inner.model.push_calls(&push(read())),
            path => {
                if let Some(key) = path.strip_prefix("/numbers/%2B") {
                    let key = format!("+{}", key.replace("%3B", ";").replace("%3D", "="));
                    inner.model.share(&key, read()["shared"] == true, sent.now.as_millis());
                }
            }
        }
    }

    /// Contacts that the database has purged.
    pub(crate) fn purged(&self, ids: &[String]) {
        let since = self.now().before(self.mix.tombstones_kept);
        let mut inner = self.inner();
        inner.stats.purged += ids.len() as u64;
        inner.model.purge(ids, since.as_millis());
    }

    /// A step of re-keying that the database has committed.
    pub(crate) fn rekeyed(&self, step: &Rekeyed, now: Timestamp) {
        let mut inner = self.inner();
        let contacts = inner.model.rekey(step, now.as_millis());
        inner.stats.rekeyed += contacts;
    }

    /// The book is put back from a backup.
    pub(crate) fn restored(&self, backup: &Model) {
        let mut inner = self.inner();
        inner.model.restore(backup);
        inner.restores = (inner.restores.0 + 1, backup.rev);
    }

    /// How often the book was put back, and to which rev the last time.
    pub(crate) fn restores(&self) -> (u64, u64) {
        self.inner().restores
    }

    /// The model as it is now.
    pub(crate) fn model(&self) -> Model {
        self.inner().model.clone()
    }

    /// What somebody might copy of a user's phone, which is another from then on.
    pub(crate) fn to_clone(&self, user: usize, store: &PhoneStore) -> Option<PhoneStore> {
        self.inner().to_clone.insert(user, store.clone())
    }

    /// Whether the book has had an op, done or refused.
    pub(crate) fn has_had(&self, op_id: &str) -> bool {
        self.inner().model.has_had(op_id)
    }

    /// Whether the device whose token this is was revoked.
    pub(crate) fn is_ended(&self, bearer: Option<&str>) -> bool {
        let device = bearer.and_then(device_of);
        device.is_some_and(|device| self.inner().model.has_ended(&device))
    }

    /// Another user of the team ends a device, if the service can be reached.
    pub(crate) async fn revoke(&self, device: &str, chance: &mut ChaCha8Rng) {
        let answer = self.ask(Method::POST, "/login", None, console_login(), chance).await;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(token) = answer["access_token"].as_str().map(str::to_owned) else { return };
        let (path, restores) = (format!("/devices/{device}"), self.restores());
        let answer = self.ask(Method::DELETE, &path, Some(token), Value::Null, chance).await;
        // A restore that came between may have brought it back.
        if answer.status == 204 && self.restores() == restores {
            self.inner().model.end(device);
        }
    }

    /// A request from a desk, over a network without faults.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        bearer: Option<String>,
        body: Value,
        chance: &mut ChaCha8Rng,
    ) -> Response {
        let body = body.to_string();
        let sent = Delivered::new(None, self.now(), (method, path), bearer, body);
        let fate = Fate { seed: chance.random(), dies_after: None };
        network::serve(self, Arc::new(sent), fate).await
    }

    /// A sign-in that the database has committed.
    pub(crate) fn signed_in(&self, device: &str, older: Option<&str>) {
        self.inner().model.sign_in(device, older);
    }

    /// From now on requests go to a service with these tables. Those on their way end where they are.
    fn deploy(&self, database: Arc<FarDatabase>, tables: Tables) {
        *self.router.lock().expect("a run has one thread") = Some(router(app(database, tables)));
    }

    /// The service is no more: it and its database would keep each other.
    fn undeploy(&self) {
        *self.router.lock().expect("a run has one thread") = None;
    }

    pub(crate) fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("a run has one thread")
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

/// What an access token says of whose it is.
fn claims(token: &str) -> Option<Value> {
    let body = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whose an access token is.
pub(crate) fn device_of(token: &str) -> Option<String> {
    claims(token)?["device"].as_str().map(str::to_owned)
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
    let (books, keys) = phone_books(mix, rows, &mut chance);
    let (shared, database) = service((chances, watch), mix, keys);
    set_up(&shared, mix.users, &mut chance).await;
    shared.book_begins(&database.sqlite());

    // People live with their phones while things go wrong, then the faults stop.
    shared.calm.store(false, Ordering::Relaxed);
    let end = shared.now().after(mix.time);
    let books = books.into_iter().enumerate();
    let phones = books.filter(|(index, _)| shared.chances.has_phone(*index as u32));
    let phones = phones.map(|(index, book)| {
        let phone = Phone::new(index, index % mix.users, shared.clone());
        tokio::task::spawn_local(PHONE.scope(index, phone::live(phone, book, end)))
    });
    let living: Vec<_> = phones.collect();
    let upgrade_at = mix.upgrade.then(|| chance.random_range(20..70));
    let mut backups = Backups::default();
    for step in 0..100_u32 {
        if upgrade_at == Some(step) {
            shared.deploy(database.clone(), Tables::CURRENT);
        }
        tokio::time::sleep(mix.time / 100).await;
        let mut chance = shared.chances.at(Place::Step(step));
        backups.pass_by(step, &mut chance, (&shared, &database)).await;
        purge(&shared, &database, chance.random()).await;
        shared.watch.sample(shared.now(), || check::digest(&database.sqlite()));
        progress(0.9 * f64::from(step + 1) / 100.0);
    }
    let mut phones = Vec::new();
    for phone in living {
        phones.push(phone.await.expect("a phone that fails stops the run"));
    }
    shared.calm.store(true, Ordering::Relaxed);
    let rounds = quieten(&shared, &mut phones, &progress).await;

    let sqlite = database.sqlite();
    if let Some(log) = &shared.watch.requests {
        log.book(&sqlite).await;
    }
    phones.iter().for_each(Phone::tell);
    shared.watch.sample(shared.now(), || check::digest(&sqlite));

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
    let inner = shared.inner();
    let (mut stats, trace) = (inner.stats.clone(), inner.trace.clone());
    (stats.visible, stats.hidden, stats.deleted, stats.stored_calls) = check::counts(&sqlite);
    stats.last_rounds = rounds;
    stats.virtual_ms = u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    (stats, trace.finish(), differences)
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
    keys: Keys,
) -> (Arc<Shared>, Arc<FarDatabase>) {
    let stats = Stats { devices: mix.devices as u64, ..Stats::default() };
    let shared = Arc::new(Shared {
        started: Instant::now(),
        mix: mix.clone(),
        chances,
        watch: watch.clone(),
        calm: AtomicBool::new(true),
        partition_until: AtomicI64::new(i64::MIN),
        router: Mutex::default(),
        turns: AtomicU64::new(0),
        pool: Pool::default(),
        inner: Mutex::new(Inner {
            stats,
            trace: Trace::default(),
            model: Model::new(keys, mix.upgrade),
            epochs: Epochs::default(),
            to_clone: BTreeMap::new(),
            restores: (0, 0),
        }),
    });
    let sqlite = Arc::new(Sqlite::in_memory().expect("SQLite has memory"));
    sqlite.migrate(MIGRATIONS, shared.now()).expect("the migrations are sound");
    let database = Arc::new(FarDatabase::new(sqlite, shared.clone()));
    shared.deploy(database.clone(), if mix.upgrade { OLDER } else { Tables::CURRENT });
    (shared, database)
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

/// What a phone has before it signs in, and what its user may type later.
pub(crate) struct PhoneBook {
    /// Saved contacts: when, and the number.
    pub(crate) saved: Vec<(Timestamp, Spelling)>,
    /// Numbers of people who will call, or be saved.
    pub(crate) others: Vec<Spelling>,
}

/// Gives each row to a phone, and some to others too, in other spellings.
fn phone_books(mix: &Mix, rows: &[Row], chance: &mut ChaCha8Rng) -> (Vec<PhoneBook>, Keys) {
    let mut keys = BTreeMap::new();
    let mut write = |row: &Row, spelling: Spelling| {
        let made = Made { older: row.key.as_deref().and_then(older), current: row.key.clone() };
        keys.insert((spelling.number.clone(), spelling.region.clone()), made);
        spelling
    };
    let empty = || PhoneBook { saved: Vec::new(), others: Vec::new() };
    let mut books: Vec<PhoneBook> = (0..mix.devices).map(|_| empty()).collect();
    let from = chance.random_range(0..rows.len());
    let picked: Vec<&Row> =
        rows.iter().cycle().skip(from).take(mix.contacts.min(rows.len())).collect();
    for row in &picked {
        let saved_at = Timestamp::from_millis(row.created_at.min(START));
        let spelling = Spelling { number: row.number.clone(), region: row.region.clone() };
        let first = chance.random_range(0..mix.devices);
        books[first].saved.push((saved_at, write(row, spelling)));
        while chance.random_bool(mix.shared) {
            let spelling = write(row, respell(row, chance));
            let book = chance.random_range(0..mix.devices);
            let later = saved_at.plus_millis(chance.random_range(-1_000..1_000) * 86_400_000);
            books[book].saved.push((later.min(Timestamp::from_millis(START)), spelling));
        }
    }
    for book in &mut books {
        book.others = (0..200)
            .map(|_| {
                let row = picked[chance.random_range(0..picked.len())];
                write(row, respell(row, chance))
            })
            .collect();
    }
    (books, keys)
}

/// The first admin, and the other users, over a network without faults.
async fn set_up(shared: &Arc<Shared>, users: usize, chance: &mut ChaCha8Rng) {
    let mut post = async |path: &str, bearer: Option<String>, body: Value| {
        let answer = shared.ask(Method::POST, path, bearer, body, chance).await;
        assert!(answer.status < 300, "{path} answers {}", answer.status);
        serde_json::from_slice::<Value>(&answer.body).expect("the service answers JSON")
    };
    let setup =
        json!({ "setup_token": "let me in", "username": user_name(0), "password": PASSWORD });
    post("/setup", None, setup).await;
    let token =
        post("/login", None, console_login()).await["access_token"].as_str().map(str::to_owned);
    for user in 1..users {
        let new = json!({ "username": user_name(user), "password": PASSWORD, "role": "member" });
        post("/users", token.clone(), new).await;
    }
}

/// What the first admin signs in with, at a desk.
fn console_login() -> Value {
    let device = json!({ "name": "console", "platform": "simulator" });
    json!({ "username": user_name(0), "password": PASSWORD, "device": device })
}

pub(crate) fn user_name(user: usize) -> String {
    format!("user-{user}")
}
