//! What all parts of a run share: the time, the faults, the service as it is deployed, and the model that is
//! told whatever is committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use base64::Engine as _;
use callbook_base::{ContactId, Timestamp};
use callbook_dedup::Tables;
use callbook_device::{Request, Response};
use callbook_worker::{App, router};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::chances::{Chances, Place};
use crate::cost;
use crate::coverage::operation;
use crate::database::Rekeyed;
use crate::desk::PASSWORD;
use crate::fault::Fault;
use crate::keys::Keys;
use crate::mix::Mix;
use crate::model::{Model, Push};
use crate::network::{CURRENT, Delivered};
use crate::phone::Image;
use crate::requests::RequestLog;
use crate::safety::{Deleted, Epochs};
use crate::sessions::Sessions;
use crate::stats::{Stats, Trace};
use crate::watch::Watch;
use crate::world::START;

/// How many instances the service has, if more than one works.
const INSTANCES: usize = 3;

/// What all parts of a run share.
pub(crate) struct Shared {
    started: Instant,
    mix: Mix,
    pub(crate) chances: Arc<Chances>,
    watch: Arc<Watch>,
    calm: AtomicBool,
    /// Until then, in milliseconds since 1970, nobody gets through.
    partition_until: AtomicI64,
    /// Requests with more ops or rows than this die, until the end.
    most_work: AtomicU64,
    /// Whether somebody has imported an address book.
    has_imported: AtomicBool,
    /// What the book calls its users.
    users: OnceLock<Vec<String>>,
    /// Its instances, and the version of their numbering tables.
    instances: Mutex<Option<(Vec<Router>, &'static str)>>,
    /// How many batches there were.
    turns: AtomicU64,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    stats: Stats,
    trace: Trace,
    pub(crate) model: Model,
    pub(crate) epochs: Epochs,
    pub(crate) deleted: Deleted,
    pub(crate) sessions: Sessions,
    /// Of each user, what the last of their phones has that somebody might copy.
    to_clone: BTreeMap<usize, Image>,
    /// What was edited in Callbook last: on which phone, which contact, when.
    last_edit: Option<(usize, ContactId, Timestamp)>,
    /// How often the book was put back from a backup, and the rev to which the last time took it.
    pub(crate) restores: (u64, u64),
}

impl Shared {
    /// Before anything has happened, and without a service.
    pub(crate) fn new(
        (chances, watch): (Arc<Chances>, &Arc<Watch>),
        mix: &Mix,
        (keys, tables): (Keys, Tables),
    ) -> Self {
        let stats = Stats { devices: mix.devices as u64, ..Stats::default() };
        Self {
            started: Instant::now(),
            mix: mix.clone(),
            chances,
            watch: watch.clone(),
            calm: AtomicBool::new(true),
            partition_until: AtomicI64::new(i64::MIN),
            most_work: AtomicU64::new(u64::MAX),
            has_imported: AtomicBool::new(false),
            users: OnceLock::new(),
            instances: Mutex::default(),
            turns: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                stats,
                trace: Trace::default(),
                model: Model::new(keys, tables.version != Tables::CURRENT.version),
                epochs: Epochs::default(),
                deleted: Deleted::default(),
                sessions: Sessions::default(),
                to_clone: BTreeMap::new(),
                last_edit: None,
                restores: (0, 0),
            }),
        }
    }

    /// The true time.
    pub(crate) fn now(&self) -> Timestamp {
        let since = self.started.elapsed().as_millis();
        Timestamp::from_millis(START + i64::try_from(since).unwrap_or(i64::MAX))
    }

    /// Whether the faults have stopped.
    pub(crate) fn calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Whether the faults stop now, or begin.
    pub(crate) fn calm_down(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
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

    /// Requests of phones with more ops or rows than this die.
    pub(crate) fn most_work(&self) -> Option<u64> {
        Some(self.most_work.load(Ordering::Relaxed)).filter(|most| *most < u64::MAX)
    }

    /// From now on, also when the other faults have stopped, requests of so much work die.
    pub(crate) fn limit_work(&self, chance: &mut ChaCha8Rng) {
        // In a large book a first pull of small pages would never end.
        let scale = 1 + self.mix.contacts as u64 / 500;
        self.most_work.fetch_min(chance.random_range(4..40) * scale, Ordering::Relaxed);
    }

    /// Whether a fault strikes there; none does when the faults have stopped.
    pub(crate) fn strikes(&self, place: Place, fault: Fault, chance: &mut ChaCha8Rng) -> bool {
        !self.calm() && self.chances.strikes(place, fault, chance)
    }

    /// The same of a fault that has a generator of its own there: that, if it strikes, for what else is drawn.
    pub(crate) fn strikes_at(&self, place: Place, fault: Fault) -> Option<ChaCha8Rng> {
        if self.calm() { None } else { self.chances.strikes_alone(place, fault) }
    }

    /// The same, counted.
    pub(crate) fn meets_at(&self, place: Place, fault: Fault) -> Option<ChaCha8Rng> {
        let chance = self.strikes_at(place, fault)?;
        self.fault(fault);
        Some(chance)
    }

    /// Whether a user imports an address book there; it happens once, since books are compared naively.
    pub(crate) fn imports(&self, place: Place) -> bool {
        let mut chance = self.chances.ahead_of(place);
        let imports = !self.has_imported.load(Ordering::Relaxed)
            && self.strikes(place, Fault::BulkImport, &mut chance);
        self.has_imported.fetch_or(imports, Ordering::Relaxed);
        imports
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

    /// The instance that gets a request: one, but for a fault.
    pub(crate) fn instance(&self, place: Option<Place>) -> Router {
        let other = place.and_then(|place| self.meets_at(place, Fault::OtherInstance));
        let gets = other.map_or(0, |mut chance| chance.random_range(1..INSTANCES));
        self.service(|instances, _| instances[gets].clone())
    }

    fn service<T>(&self, of: impl FnOnce(&[Router], &'static str) -> T) -> T {
        let service = self.instances.lock().expect("a run has one thread");
        let (instances, tables) = service.as_ref().expect("the service is there before its phones");
        of(instances, tables)
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
        let arrived = |log: &RequestLog| {
            log.arrived(sent.clone(), seed, Some(self.service(|_, tables| tables)))
        };
        self.watch.requests.as_ref().map_or(0, arrived)
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

    /// A request whose write the database has committed; of a push of contacts, up to which op.
    pub(crate) fn committed(&self, sent: Arc<Delivered>, acked: Option<u64>) {
        let Some(Claims { device, user }) = sent.bearer.as_deref().and_then(claims) else { return };
        let (device, user) = (device.as_str(), user.as_str());
        let push = |body| Push { device, user, now: sent.now.as_millis(), acked, body };
        let read = || serde_json::from_slice(&sent.body).expect("phones send JSON");
        let mut inner = self.inner();
        if inner.model.has_ended(device) {
            let path = &sent.path;
            let text = format!("device {device} was revoked, and has written since: {path}");
            inner.model.violations.push(text);
        }
        if inner.model.account(user).is_some_and(|account| account.is_disabled) {
            let text = format!("user {user} is disabled, and has written since: {}", sent.path);
            inner.model.violations.push(text);
        }
        match sent.path.as_str() {
            "/sync/contacts" => {
                let push = push(read());
                inner.model.push_contacts(&push);
                drop(inner);
                self.check_deletes(&push.body, acked);
            }
            "/sync/calls" => inner.model.push_calls(&push(read())),
            "/me/password" => inner.model.change_password(user, device, &read()),
            path => {
                if let Some(path) = path.strip_prefix("/contacts/") {
                    inner.model.change_at_a_desk(path, &push(read()));
                }
                if let Some(user) = path.strip_prefix("/users/") {
                    inner.model.change_user(user, &read());
                }
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
        let shut_out = inner.model.shut_out_by(backup);
        inner.sessions.restored(shut_out);
        inner.model.restore(backup);
        inner.restores = (inner.restores.0 + 1, backup.rev);
    }

    /// How often the book was put back, and to which rev the last time.
    pub(crate) fn restores(&self) -> (u64, u64) {
        self.inner().restores
    }

    /// A phone of this region knows no more than its contacts how these numbers were written.
    pub(crate) fn are_read_again(&self, numbers: Vec<String>, home: &str) {
        self.inner().model.are_read_again(numbers, home);
    }

    /// The model as it is now.
    pub(crate) fn model(&self) -> Model {
        self.inner().model.clone()
    }

    /// What somebody might copy of a user's phone, which is another from then on.
    pub(crate) fn to_clone(&self, user: usize, own: Image) -> Option<Image> {
        self.inner().to_clone.insert(user, own)
    }

    /// Somebody edits a contact on a phone.
    pub(crate) fn edits(&self, phone: usize, contact: ContactId) {
        self.inner().last_edit = Some((phone, contact, self.now()));
    }

    /// What was edited last: on which phone, which contact, when.
    pub(crate) fn last_edit(&self) -> Option<(usize, ContactId, Timestamp)> {
        self.inner().last_edit
    }

    /// Whether the book has had an op, done or refused.
    pub(crate) fn has_had(&self, op_id: &str) -> bool {
        self.inner().model.has_had(op_id)
    }

    /// Since when whoever has this token is shut out, as a count of all that shuts out and lets in: their
    /// device was revoked, or they are disabled.
    pub(crate) fn shut_out(&self, bearer: Option<&str>) -> Option<u64> {
        let Claims { device, user } = bearer.and_then(claims)?;
        let model = &self.inner().model;
        let is_out = model.has_ended(&device)
            || model.account(&user).is_some_and(|account| account.is_disabled);
        is_out.then_some(model.turns)
    }

    /// The book's users, as somebody has set them up, in the order of their numbers.
    pub(crate) fn have(&self, users: Vec<String>) {
        self.inner().model.set_up(&users);
        self.users.set(users).expect("a book is set up once");
    }

    /// What the book calls a user.
    pub(crate) fn user_id(&self, user: usize) -> String {
        self.users.get().expect("the book is set up before its phones sync")[user].clone()
    }

    /// What somebody types as a user's password now.
    pub(crate) fn password(&self, user: usize) -> String {
        let id = self.user_id(user);
        self.inner().model.account(&id).map_or(PASSWORD.to_owned(), |it| it.password.clone())
    }

    /// A device was ended, as its book says.
    pub(crate) fn end_device(&self, device: &str) {
        self.inner().model.end(device);
    }

    /// Whether a user is shut out.
    pub(crate) fn is_disabled(&self, user: usize) -> bool {
        let id = self.user_id(user);
        self.inner().model.account(&id).is_some_and(|account| account.is_disabled)
    }

    /// Whether a user may do what admins may.
    pub(crate) fn is_admin(&self, user: usize) -> bool {
        let id = self.user_id(user);
        self.inner().model.account(&id).is_some_and(|account| account.is_admin)
    }

    /// How often users have changed so far.
    pub(crate) fn accounts_changed(&self) -> u64 {
        self.inner().model.turns
    }

    /// A sign-in that the database has committed: of a device, whose user it is, and the device that it says it
    /// follows.
    pub(crate) fn signed_in(&self, device: &str, user: &str, older: Option<&str>) {
        let body = CURRENT.try_with(|sent| sent.body.clone()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut inner = self.inner();
        inner.model.sign_in(device, user, older);
        let text = match inner.model.account(user) {
            Some(account) if account.is_disabled => "is disabled, and has signed in",
            Some(account) if body["password"] != account.password.as_str() => {
                "has signed in with a password that is no longer theirs"
            }
            _ => return,
        };
        inner.model.violations.push(format!("user {user} {text}"));
    }

    /// From now on requests go to this service. Those on their way end where they are.
    pub(crate) fn deploy(&self, app: impl Fn() -> App) {
        let count = if self.chances.may_strike(Fault::OtherInstance) { INSTANCES } else { 1 };
        let tables = app().tables.version;
        let instances = (0..count).map(|_| router(app())).collect();
        *self.instances.lock().expect("a run has one thread") = Some((instances, tables));
    }

    /// The service is no more: it and its database would keep each other.
    pub(crate) fn undeploy(&self) {
        *self.instances.lock().expect("a run has one thread") = None;
    }

    /// What happened, when all has.
    pub(crate) fn end(&self) -> (Stats, String) {
        let inner = self.inner();
        let virtual_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (Stats { virtual_ms, ..inner.stats.clone() }, inner.trace.clone().finish())
    }

    pub(crate) fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("a run has one thread")
    }
}

/// What an access token says of whose it is.
#[derive(Deserialize)]
struct Claims {
    device: String,
    #[serde(rename = "sub")]
    user: String,
}

fn claims(token: &str) -> Option<Claims> {
    let body = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whose an access token is.
pub(crate) fn device_of(token: &str) -> Option<String> {
    claims(token).map(|claims| claims.device)
}
