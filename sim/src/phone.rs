//! A virtual phone: its clock, its crashes, and the driver of the real engine. What its user does is in
//! `phone/people.rs`.

mod people;

use std::sync::Arc;
use std::time::Duration;

use callbook_auth::Secret;
use callbook_base::Timestamp;
use callbook_device::{Engine, MemoryStore, Next, Status, Store, Transport};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use people::{MOST_CLEARED, line, new_contact};

use crate::course::Standing;
use crate::fault::Fault;
use crate::network::Network;
use crate::spelling::Spelling;
use crate::world::{PASSWORD, PhoneBook, Shared, user_name};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

/// How often a phone syncs, at most, until it has nothing more to say.
const MOST_SYNCS: u32 = 100;

/// A phone and its user.
pub(crate) struct Phone {
    pub(crate) index: usize,
    /// `None` only while it crashes.
    engine: Option<Engine<MemoryStore>>,
    user: usize,
    shared: Arc<Shared>,
    network: Network,
    chance: ChaCha8Rng,
    /// How far its clock is ahead of the true time, in milliseconds.
    clock_ahead: i64,
    /// Of its SIM.
    region: String,
    /// Its last backup.
    backup: MemoryStore,
}

/// Lives with a phone until `end`: saves what the phone book has, signs in, changes and syncs.
pub(crate) async fn live(mut phone: Phone, book: PhoneBook, end: Timestamp) -> Phone {
    let change_every = phone.shared.mix().change_every;
    let clears = phone.shared.mix().clears;
    phone.region = book.saved.first().map_or_else(String::new, |(_, first)| first.region.clone());
    let region = line(&phone.region);
    phone.engine().set_region(region).expect("a store in memory takes all");
    let mut saved = Vec::new();
    for (saved_at, spelling) in &book.saved {
        let edit = new_contact(spelling, &phone.region, phone.chance.random_range(0..1_000_000));
        saved.push((edit, saved_at.plus_millis(phone.clock_ahead)));
    }
    phone.shared.stats(|stats| stats.changes += saved.len() as u64);
    let mut chance = crate::world::split(&mut phone.chance);
    phone.engine().import(saved, &mut chance).expect("a store in memory takes all");
    phone.sign_in();
    let mut next_sync = phone.later(0, 120);
    let mut next_change = phone.after_about(change_every);
    loop {
        phone.tell();
        let wake = next_sync.min(next_change).min(end);
        phone.sleep_until(wake).await;
        if wake >= end {
            return phone;
        }
        if wake == next_change {
            match phone.chance.random_bool(clears) {
                true => phone.clear(MOST_CLEARED),
                false => phone.change(&book.others),
            }
            next_change = phone.after_about(change_every);
            if phone.chance.random_bool(0.7) {
                next_sync = next_sync.min(phone.shared.now().plus_millis(5_000));
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
    pub(crate) fn new(
        index: usize,
        user: usize,
        shared: Arc<Shared>,
        mut chance: ChaCha8Rng,
    ) -> Self {
        let clock_ahead = match chance.random_range(0..10) {
            0..5 => 0,
            5..8 => chance.random_range(-20 * MINUTE..20 * MINUTE),
            8 => chance.random_range(-3 * DAY..3 * DAY),
            _ => chance.random_range(-30 * YEAR..30 * YEAR),
        };
        let network = Network {
            shared: shared.clone(),
            chance: crate::world::split(&mut chance),
            phone: index,
            offline_until: shared.now(),
        };
        let store = MemoryStore::default();
        let engine = Some(Engine::open(store).expect("an empty store opens"));
        let (region, backup) = (String::new(), MemoryStore::default());
        Self { index, engine, user, shared, network, chance, clock_ahead, region, backup }
    }

    pub(crate) fn engine_ref(&self) -> &Engine<MemoryStore> {
        self.engine.as_ref().expect("it is not crashing")
    }

    fn engine(&mut self) -> &mut Engine<MemoryStore> {
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
        self.engine().sign_in(user, Secret::from(PASSWORD), name, platform);
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
        let rates = self.shared.rates();
        if self.chance.random_bool(rates[Fault::ClockJumped]) {
            self.shared.fault(Fault::ClockJumped);
            self.clock_ahead += self.chance.random_range(-2 * DAY..2 * DAY);
        }
        if self.chance.random_bool(rates[Fault::Offline]) {
            self.shared.fault(Fault::Offline);
            self.network.offline_until = self.later(10, 600);
        }
        self.lose_what_it_has().await;
        let mut crash_in = self
            .chance
            .random_bool(rates[Fault::PhoneCrashed])
            .then(|| self.chance.random_range(0..8));
        self.engine().start_sync();
        let mut sign_ins = 0;
        loop {
            let clock = self.clock();
            let mut chance = crate::world::split(&mut self.chance);
            match self.engine().next(clock, &mut chance).expect("a store in memory takes all") {
                Next::Send(request) => {
                    let answer = self.network.send(request).await;
                    if !self.shared.calm() && self.chance.random_bool(0.03) {
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
                    let received = self.engine().receive(answer, clock, &mut chance);
                    received.expect("a store in memory takes all");
                }
                Next::Wait(until) => {
                    self.shared.stats(|stats| stats.syncs += 1);
                    self.shared.watch().synced(began, self.shared.now(), || self.status().synced);
                    self.answer_about_deletes();
                    let wait = until.millis_since(self.clock()).clamp(1_000, 60 * MINUTE);
                    return self.shared.now().plus_millis(wait);
                }
                Next::SignIn(_) if sign_ins < 3 => {
                    sign_ins += 1;
                    self.sign_in();
                }
                Next::SignIn(_) => return self.later(5, 15),
            }
        }
    }

    /// Is restored from a backup, wiped, or shut out, at times.
    async fn lose_what_it_has(&mut self) {
        let rates = self.shared.rates();
        if self.chance.random_bool(rates[Fault::PhoneRestored]) {
            self.shared.fault(Fault::PhoneRestored);
            self.open(self.backup.clone());
        } else if self.chance.random_bool(rates[Fault::PhoneWiped]) {
            self.shared.fault(Fault::PhoneWiped);
            self.open(MemoryStore::default());
        } else if rates[Fault::PhoneRestored] > 0.0 && self.chance.random_bool(0.05) {
            self.backup = self.engine_ref().store().clone();
        }
        let device = self.engine_ref().store().state().expect("a store in memory reads").device;
        if let Some(device) = device
            && self.chance.random_bool(rates[Fault::DeviceRevoked])
        {
            self.shared.fault(Fault::DeviceRevoked);
            let shared = self.shared.clone();
            shared.revoke(&device.to_string(), &mut self.chance).await;
        }
    }

    /// Starts with another store; its user is there to sign in.
    fn open(&mut self, store: MemoryStore) {
        self.engine = Some(Engine::open(store).expect("a store in memory opens"));
        let region = line(&self.region);
        self.engine().set_region(region).expect("a store in memory takes all");
    }

    /// Loses all but what its store has.
    fn crash(&mut self) {
        self.shared.fault(Fault::PhoneCrashed);
        let store = self.engine.take().expect("it is not crashing").into_store();
        self.engine = Some(Engine::open(store).expect("a store opens after a crash"));
        // The password is not in the store; its user is there to type it.
        self.engine().start_sync();
    }

    /// After the faults: syncs, as any host of the engine does, until it has nothing more to say.
    pub(crate) async fn settle(&mut self) {
        let shared = self.shared.clone();
        let ahead = self.clock_ahead;
        for _ in 0..MOST_SYNCS {
            let mut chance = crate::world::split(&mut self.chance);
            let engine = self.engine.as_mut().expect("it is not crashing");
            let now = || shared.now().plus_millis(ahead);
            let next = callbook_device::sync(engine, &mut self.network, now, &mut chance).await;
            let next = next.expect("a store in memory takes all");
            shared.stats(|stats| stats.syncs += u64::from(matches!(next, Next::Wait(_))));
            match next {
                Next::SignIn(_) => self.sign_in(),
                _ if self.is_quiet() => match self.answer_about_deletes() {
                    true => {}
                    false => return,
                },
                Next::Wait(until) => self.sleep_until(until.plus_millis(-ahead)).await,
                Next::Send(_) => unreachable!("the driver sends"),
            }
        }
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
