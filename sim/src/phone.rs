//! A virtual phone: its clock, its crashes, and the driver of the real engine. What its user does is in
//! `phone/people.rs`.

mod people;
mod providers;
mod restored;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callbook_auth::Secret;
use callbook_base::Timestamp;
use callbook_device::{Engine, Next, State, Status, Store, StoreError, Transport};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use people::{line, new_contact};
use providers::Providers;
use restored::Had;

use crate::books::PhoneBook;
use crate::chances::Place;
use crate::course::Standing;
use crate::desk::user_name;
use crate::fault::Fault;
use crate::model::Model;
use crate::network::{LateAnswer, Network};
use crate::safety::Eye;
use crate::shared::Shared;
use crate::spelling::Spelling;
use crate::store::PhoneStore;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

/// How many requests a sync has at most; a first pull of twenty thousand contacts has some hundred.
const MOST_REQUESTS: u32 = 5_000;

/// The same for its time, when nothing fails.
const LONGEST_SYNC: Duration = Duration::from_secs(60 * 60);

/// How often a phone syncs, at most, after the faults, until it has nothing more to say or to hear.
const MOST_LAST_SYNCS: u32 = 50;

/// All that a phone keeps.
#[derive(Clone)]
pub(crate) struct Image {
    store: PhoneStore,
    providers: Option<Providers>,
}

/// A phone and its user.
pub(crate) struct Phone {
    pub(crate) index: usize,
    /// `None` only while it crashes.
    engine: Option<Engine<PhoneStore>>,
    /// What Android keeps there, if the run's people use it.
    providers: Option<Providers>,
    user: usize,
    shared: Arc<Shared>,
    network: Network,
    /// Where it is in its run, and the generator of that place.
    place: Place,
    chance: ChaCha8Rng,
    /// How many syncs it has begun.
    syncs: u32,
    /// Of these, those since the faults stopped.
    last_syncs: u32,
    is_stuck: bool,
    /// When the last of them ended that was not cut short.
    synced_at: Timestamp,
    /// How far its clock is ahead of the true time, in milliseconds.
    clock_ahead: i64,
    /// By how much of that it is off since somebody set it by hours, and with which sync that is put right.
    zone_off: Option<(i64, u32)>,
    /// What was not pushed when somebody had to sign in, by place.
    signed_out_with: BTreeMap<u64, String>,
    /// Of its SIM.
    region: String,
    /// Its last backup.
    backup: Image,
    /// What it had of a book that was put back.
    had: Had,
}

/// Lives with a phone until `end`: saves what the phone book has, signs in, changes and syncs.
pub(crate) async fn live(mut phone: Phone, book: PhoneBook, end: Timestamp) -> Phone {
    let mix = phone.shared.mix();
    let change_every = mix.change_every.div_f64(mix.share());
    phone.region = book.home();
    let region = line(&phone.region);
    phone.engine().set_region(region).expect("a store in memory takes all");
    phone.follow_contacts();
    let mut saved = Vec::new();
    for (n, (saved_at, spelling)) in (0..).zip(&book.saved) {
        let edit = new_contact(spelling, &phone.region, phone.chance.random_range(0..1_000_000));
        let saved_at = saved_at.plus_millis(phone.clock_ahead);
        if phone.shared.chances.has_saved(phone.index(), n) && !phone.had_before(saved_at, spelling)
        {
            saved.push((edit, saved_at));
        }
    }
    phone.shared.stats(|stats| stats.changes += saved.len() as u64);
    let mut chance = crate::world::split(&mut phone.chance);
    phone.engine().import(saved, &mut chance).expect("a store in memory takes all");
    phone.sign_in();
    let mut next_sync = phone.later(0, 120);
    let mut next_change = phone.after_about(change_every);
    let mut changes = 0;
    let mut customers = book.customers.into_iter().peekable();
    loop {
        phone.tell();
        let customer = customers.peek().map_or(end, |customer| customer.at);
        let wake = next_sync.min(next_change).min(customer).min(end);
        phone.sleep_until(wake).await;
        if wake >= end {
            return phone;
        }
        if let Some(customer) = customers.next_if(|_| wake == customer) {
            phone.enter(customer);
            next_sync = next_sync.min(phone.shared.now().plus_millis(5_000));
        } else if wake == next_change {
            let n = changes;
            changes += 1;
            phone.goes_to(Place::Change(phone.index(), n));
            next_change = phone.after_about(change_every);
            // Also when a script leaves the change out: the syncs keep their places.
            if phone.chance.random_bool(0.7) {
                next_sync = next_sync.min(phone.shared.now().plus_millis(5_000));
            }
            if phone.shared.chances.has_change(phone.index(), n) {
                phone.change_something(&book.others);
            }
        } else {
            next_sync = phone.sync(&book.others).await;
            if phone.shared.mix().in_step {
                next_sync = phone.next_step(next_sync);
            }
        }
    }
}

impl Phone {
    pub(crate) fn new(index: usize, user: usize, shared: Arc<Shared>) -> Self {
        let place = Place::Phone(index as u32);
        let mut chance = shared.chances.at(place);
        let kind = chance.random_range(0..10);
        let clock_ahead = match kind {
            _ if shared.meets_at(place, Fault::ClockOff).is_none() => 0,
            0..8 => chance.random_range(-20 * MINUTE..20 * MINUTE),
            8 => chance.random_range(-3 * DAY..3 * DAY),
            _ => chance.random_range(-30 * YEAR..30 * YEAR),
        };
        let network = Network {
            shared: shared.clone(),
            phone: index,
            requests: 0,
            asked: None,
            offline_until: shared.now(),
            late: Arc::default(),
            is_cancelled: false,
            expired: 0,
            pulled: None,
        };
        let store = PhoneStore {
            eye: Some(Eye::new(shared.clone(), index, &State::default())),
            ..PhoneStore::default()
        };
        let providers = shared.mix().has_providers(index).then(Providers::default);
        let backup = Image { store: store.clone(), providers: providers.clone() };
        let engine = Some(Engine::open(store).expect("an empty store opens"));
        let (region, had, synced_at) = (String::new(), Had::default(), shared.now());
        Self {
            index,
            engine,
            providers,
            user,
            shared,
            network,
            place,
            chance,
            syncs: 0,
            last_syncs: 0,
            is_stuck: false,
            synced_at,
            clock_ahead,
            zone_off: None,
            signed_out_with: BTreeMap::new(),
            region,
            backup,
            had,
        }
    }

    fn index(&self) -> u32 {
        self.index as u32
    }

    /// From here on all is drawn from this place's generator.
    fn goes_to(&mut self, place: Place) {
        self.place = place;
        self.chance = self.shared.chances.at(place);
    }

    /// Whether a fault strikes here.
    fn strikes(&mut self, fault: Fault) -> bool {
        self.shared.strikes(self.place, fault, &mut self.chance)
    }

    /// The same, counted.
    fn meets(&mut self, fault: Fault) -> bool {
        let strikes = self.strikes(fault);
        if strikes {
            self.shared.fault(fault);
        }
        strikes
    }

    pub(crate) fn engine_ref(&self) -> &Engine<PhoneStore> {
        self.engine.as_ref().expect("it is not crashing")
    }

    fn engine(&mut self) -> &mut Engine<PhoneStore> {
        self.engine.as_mut().expect("it is not crashing")
    }

    /// What its clock shows.
    fn clock(&self) -> Timestamp {
        self.shared.now().plus_millis(self.clock_ahead)
    }

    fn sign_in(&mut self) {
        let name = format!("phone {}", self.index).parse().expect("it is short");
        let platform = "simulator".parse().expect("it is short");
        let user = user_name(self.user);
        let password = Secret::from(self.shared.password(self.user));
        self.engine().sign_in(user, password, name, platform);
    }

    /// A true time so many minutes from now.
    fn later(&mut self, from: i64, to: i64) -> Timestamp {
        let wait = self.chance.random_range(from * MINUTE..to * MINUTE);
        self.shared.now().plus_millis(wait)
    }

    /// The first time from `time` on at which all phones sync, within two seconds.
    fn next_step(&mut self, time: Timestamp) -> Timestamp {
        let step = 15 * MINUTE;
        let steps = time.as_millis().div_euclid(step) + 1;
        Timestamp::from_millis(steps * step + self.chance.random_range(0..2_000))
    }

    /// A time whose distances are drawn as those of events that do not know each other.
    fn after_about(&mut self, mean: Duration) -> Timestamp {
        let share: f64 = self.chance.random_range(0.000_001..1.0);
        let wait = mean.as_millis() as f64 * -share.ln();
        self.shared.now().plus_millis(1 + wait as i64)
    }

    async fn sleep_until(&self, time: Timestamp) {
        let wait = time.millis_since(self.shared.now());
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        self.shared.stats(|stats| stats.events += 1);
    }

    /// One sync to its end; the true time of the next.
    async fn sync(&mut self, others: &[Spelling]) -> Timestamp {
        let began = self.shared.now();
        self.goes_to(Place::Sync(self.index(), self.syncs));
        self.syncs += 1;
        if self.meets(Fault::ClockJumped) {
            self.clock_ahead += self.chance.random_range(-2 * DAY..2 * DAY);
        }
        self.set_clock();
        if self.meets(Fault::Offline) {
            self.network.offline_until = self.later(10, 600);
        }
        if self.meets(Fault::PhoneAway) {
            self.network.offline_until = self.shared.now().after(self.shared.mix().time / 3);
        }
        self.lose_what_it_has().await;
        self.meddle_with_providers();
        if self.strikes(Fault::PowerLost) {
            let commits = self.chance.random_range(0..12);
            self.restart(|store| store.power_for = Some(commits));
        }
        let is_killed = self.providers.is_some() && self.strikes(Fault::PassKilled);
        let mut dies_in = is_killed.then(|| self.chance.random_range(0..9));
        if self.pass(&mut dies_in).is_err() {
            return self.lose_power();
        }
        let crashes = self.strikes(Fault::PhoneCrashed);
        let mut crash_in = crashes.then(|| self.chance.random_range(0..8));
        self.engine().start_sync();
        let mut sign_ins = 0;
        for _ in 0..MOST_REQUESTS {
            let clock = self.clock();
            let mut chance = crate::world::split(&mut self.chance);
            let Ok(next) = self.engine().next(clock, &mut chance) else { return self.lose_power() };
            match next {
                Next::Send(request) => {
                    self.note_restore();
                    let id = request.id;
                    let meddling = self.meddling();
                    let (answer, ()) = tokio::join!(self.network.send(request), meddling);
                    let place = Place::Request(self.index(), self.network.requests - 1);
                    if self.shared.strikes(place, Fault::PhoneEdited, &mut self.chance) {
                        self.shared.fault_at(Fault::PhoneEdited, self.network.asked);
                        self.change(others);
                    }
                    let clock = self.clock();
                    match crash_in {
                        Some(0) => {
                            self.crash();
                            return self.later(1, 10);
                        }
                        Some(steps) => crash_in = Some(steps - 1),
                        None => {}
                    }
                    if self.network.is_cancelled {
                        return self.later(0, 5);
                    }
                    self.note_touched();
                    if self.hear_late(clock, &mut chance).is_err()
                        || self.engine().receive(id, answer, clock, &mut chance).is_err()
                    {
                        return self.lose_power();
                    }
                    self.check_that_nothing_is_lost();
                }
                Next::Wait(until) => {
                    self.shared.stats(|stats| stats.syncs += 1);
                    self.synced_at = began;
                    self.shared.watch().synced(began, self.shared.now(), || self.status().synced);
                    self.answer();
                    if self.pass(&mut dies_in).is_err() {
                        return self.lose_power();
                    }
                    self.check_contacts();
                    let wait = until.millis_since(self.clock()).clamp(1_000, 60 * MINUTE);
                    return self.shared.now().plus_millis(wait);
                }
                Next::SignIn(_) => {
                    self.must_sign_in();
                    if sign_ins == 3 {
                        return self.later(20, 60); // its user gives up, and tries again some time
                    }
                    sign_ins += 1;
                    self.network.pulled = None;
                    self.sign_in();
                }
            }
        }
        self.does_not_end();
        self.shared.now().after(self.shared.mix().time)
    }

    /// Somebody must sign in: what this phone has not pushed is noted, since it must come to the book then.
    fn must_sign_in(&mut self) {
        let ops = self.engine_ref().store().outbox().expect("a store in memory reads").into_iter();
        let ops = ops.filter(|op| op.acked.is_none()).map(|op| (op.place, op.op_id.to_string()));
        self.signed_out_with.extend(ops);
    }

    /// What it had not pushed when somebody had to sign in, and the book has not had since.
    pub(crate) fn lost_by_signing_in(&self, model: &Model, restores: u64) -> usize {
        if self.had.restores_seen() != restores {
            return 0; // what is lost with a book is asked for elsewhere
        }
        self.signed_out_with.values().filter(|op_id| !model.has_had(op_id)).count()
    }

    /// What people do at desks while this phone waits for an answer.
    fn meddling(&self) -> impl Future<Output = ()> + use<> {
        let place = Place::Request(self.index(), self.network.requests);
        let mut chance = self.shared.chances.ahead_of(place);
        let (shared, user) = (self.shared.clone(), self.user);
        let mut strikes = |fault| shared.strikes(place, fault, &mut chance);
        let changes_password = strikes(Fault::PasswordChanged);
        // The first admin is who does it.
        let disables = strikes(Fault::UserDisabled) && user > 0;
        let changes_role = strikes(Fault::RoleChanged) && user > 0;
        let brings_back = strikes(Fault::ContactRestored);
        let tells_apart = strikes(Fault::ContactSplit);
        async move {
            if changes_password {
                shared.change_password(user, &mut chance).await;
            }
            if changes_role {
                shared.change_role(user, &mut chance).await;
            }
            if brings_back {
                shared.bring_back(user, &mut chance).await;
            }
            if tells_apart {
                shared.tell_apart(user, &mut chance).await;
            }
            if disables {
                tokio::task::spawn_local(shared.disable(user, chance));
            }
        }
    }

    /// Somebody in another time zone sets the time and not the zone, or puts that right.
    fn set_clock(&mut self) {
        let mut chance = self.shared.chances.ahead_of(self.place);
        match self.zone_off {
            Some((hours, until)) if self.syncs >= until => {
                self.clock_ahead -= hours;
                self.zone_off = None;
            }
            None if self.shared.strikes(self.place, Fault::ClockZone, &mut chance) => {
                self.shared.fault(Fault::ClockZone);
                let hours =
                    [-11, -8, -5, -1, 1, 2, 6, 9, 12][chance.random_range(0..9)] * 60 * MINUTE;
                self.clock_ahead += hours;
                self.zone_off = Some((hours, self.syncs + chance.random_range(1..30)));
            }
            _ => {}
        }
    }

    /// Answers come whose requests it had given up, while it waits for another.
    fn hear_late(&mut self, clock: Timestamp, chance: &mut ChaCha8Rng) -> Result<(), StoreError> {
        let late = std::mem::take(&mut *self.network.late.lock().expect("a run has one thread"));
        for LateAnswer { id, asked, answer } in late {
            self.shared.fault_at(Fault::AnswerLate, asked);
            self.engine().receive(id, Ok(answer), clock, chance)?;
        }
        Ok(())
    }

    /// That is enough to know; it does not sync again.
    fn does_not_end(&mut self) {
        self.is_stuck = true;
        self.shared.violation(format!("phone {}: a sync does not end", self.index));
    }

    /// Is restored from a backup, wiped, or shut out, at times.
    async fn lose_what_it_has(&mut self) {
        let is_backed_up = self.chance.random_bool(0.05);
        if self.meets(Fault::PhoneRestored) {
            let mut backup = self.backup.clone();
            // Or without its contacts, which are then newer than what Callbook has noted of them.
            if let (Some(there), Some(here)) = (&mut backup.providers, &self.providers)
                && self.chance.random_bool(0.5)
            {
                there.keep_contacts_of(here);
            }
            self.become_as(backup);
        } else if self.strikes(Fault::PhoneCloned) {
            self.clone_another();
        } else if self.meets(Fault::PhoneWiped) {
            self.open(PhoneStore::default());
        } else if is_backed_up && self.shared.chances.may_strike(Fault::PhoneRestored) {
            self.backup = self.image();
        }
        let device = self.engine_ref().store().state().expect("a store in memory reads").device;
        if let Some(device) = device
            && self.meets(Fault::DeviceRevoked)
        {
            let shared = self.shared.clone();
            shared.revoke(&device.to_string(), &mut self.chance).await;
        }
    }

    /// Its user answers what the engine asks. Whether there is more to send.
    fn answer(&mut self) -> bool {
        self.answer_about_deletes() | self.answer_about_lost()
    }

    fn image(&self) -> Image {
        let store = PhoneStore { eye: None, ..self.engine_ref().store().clone() };
        Image { store, providers: self.providers.clone() }
    }

    fn become_as(&mut self, image: Image) {
        if let Some(device) = image.store.state().expect("a store in memory reads").device {
            self.shared.is_copied(device);
        }
        self.providers = image.providers;
        self.open(image.store);
    }

    /// Becomes a copy of what a phone of its user had at another such time, while that one goes on.
    fn clone_another(&mut self) {
        let Some(other) = self.shared.to_clone(self.user, self.image()) else { return };
        self.shared.fault(Fault::PhoneCloned);
        // What the other was told counts for this one too.
        let pass = other.store.state().expect("a store in memory reads").pass;
        self.network.expired = self.network.expired.max(pass);
        self.become_as(other);
    }

    /// Starts with another store; its user is there to sign in.
    fn open(&mut self, store: PhoneStore) {
        self.had = Had::after(self.shared.restores().0);
        self.signed_out_with.clear();
        self.network.pulled = None;
        let state = store.state().expect("a store in memory reads");
        let eye = Some(Eye::new(self.shared.clone(), self.index, &state));
        let store = PhoneStore { power_for: None, eye, ..store };
        self.engine = Some(Engine::open(store).expect("a store in memory opens"));
        let region = line(&self.region);
        self.engine().set_region(region).expect("a store in memory takes all");
        self.shared.are_read_again(self.numbers_in_contacts(), &self.region);
        self.follow_contacts();
    }

    /// Loses all but what its store has.
    fn crash(&mut self) {
        self.shared.fault_at(Fault::PhoneCrashed, self.network.asked);
        self.restart(|store| store.power_for = None);
        // The password is not in the store; its user is there to type it.
        self.engine().start_sync();
    }

    /// The store has refused to commit. When it syncs again.
    fn lose_power(&mut self) -> Timestamp {
        self.shared.fault_at(Fault::PowerLost, self.network.asked);
        self.restart(|store| store.power_for = None);
        self.later(1, 10)
    }

    /// Starts again with what is in its store, which is another from then on.
    fn restart(&mut self, change: impl FnOnce(&mut PhoneStore)) {
        let mut store = self.engine.take().expect("it is not crashing").into_store();
        change(&mut store);
        self.engine = Some(Engine::open(store).expect("a store opens after a crash"));
    }

    /// After the faults: syncs, as any host of the engine does, until it has nothing more to say.
    pub(crate) async fn settle(&mut self) {
        let shared = self.shared.clone();
        let ahead = self.clock_ahead;
        if self.is_stuck {
            return;
        }
        self.restart(|store| store.power_for = None);
        self.goes_to(Place::Sync(self.index(), self.syncs));
        self.syncs += 1;
        while self.last_syncs < MOST_LAST_SYNCS {
            self.last_syncs += 1;
            self.pass(&mut None).expect("a store in memory takes all");
            let mut chance = crate::world::split(&mut self.chance);
            let engine = self.engine.as_mut().expect("it is not crashing");
            let now = || shared.now().plus_millis(ahead);
            let sync = callbook_device::sync(engine, &mut self.network, now, &mut chance);
            let Ok(next) = tokio::time::timeout(LONGEST_SYNC, sync).await else {
                return self.does_not_end();
            };
            let next = next.expect("a store in memory takes all");
            shared.stats(|stats| stats.syncs += u64::from(matches!(next, Next::Wait(_))));
            match next {
                Next::SignIn(_) => {
                    self.must_sign_in();
                    self.network.pulled = None;
                    self.sign_in();
                }
                _ if self.is_quiet() => {
                    let has_answered = self.answer();
                    self.pass(&mut None).expect("a store in memory takes all");
                    if !has_answered && self.is_quiet() {
                        return;
                    }
                }
                Next::Wait(until) => self.sleep_until(until.plus_millis(-ahead)).await,
                Next::Send(_) => unreachable!("the driver sends"),
            }
        }
    }

    /// How often it has synced since the faults stopped.
    pub(crate) fn last_syncs(&self) -> u32 {
        self.last_syncs
    }

    /// How often the service has told it to pull contacts from the start.
    pub(crate) fn expired(&self) -> u64 {
        self.network.expired
    }

    /// Whether all that its user did has been pushed, and what came of it pulled.
    pub(crate) fn is_quiet(&self) -> bool {
        self.status().is_quiet()
    }

    fn status(&self) -> Status {
        self.engine_ref().status().expect("a store in memory reads")
    }

    /// Tells whoever looks on how it stands.
    pub(crate) fn tell(&self) {
        self.shared.watch().stands(self.index, || {
            let status = self.status();
            Standing {
                digest: self.engine_ref().store().state().expect("a store in memory reads").digest,
                has_more_to_say: status.unpushed + status.unpulled + status.unpushed_calls > 0,
                synced_at: status.synced.then(|| self.shared.now()),
            }
        });
    }
}
