//! What a run is made of: how many phones and contacts, for how long, and how much goes wrong.

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::fault::{Fault, Rates};

/// The size of a run and its rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Phones.
    pub devices: usize,
    /// People; each has one phone or more.
    pub users: usize,
    /// How many rows of the file are in phone books at the start.
    pub contacts: usize,
    /// How long people use their phones before the faults stop, if that is not sooner.
    pub time: Duration,
    /// After how many of the [`STEPS`] of that time they do. A script is cut here, since with another `time`
    /// all that the steps bring would come at other moments.
    pub steps: u32,
    /// How likely a row is held by one more person, in another spelling.
    pub shared: f64,
    /// The mean time between two changes on one phone, unless its team is large.
    pub change_every: Duration,
    /// How many times slower than usual the database is: the longer a push thinks, the more often
    /// another's write comes between.
    pub slowness: u32,
    /// Whether phones sync at the same minutes, as when all come back to one office.
    pub in_step: bool,
    /// How many rows a page of a pull has at most: the smaller pages are, the more comes between them.
    pub page: u32,
    /// How long tombstones are kept; who is away for longer must pull from the start.
    pub tombstones_kept: Duration,
    /// Whether people use their phones' own contacts and calls too, which the engine follows; in a large team
    /// those of its first [`WITH_CONTACTS`] phones, since each keeps all that the book shows once more.
    pub through_providers: bool,
    /// What goes wrong.
    pub rates: Rates,
}

/// A run passes by backups, releases and migrations so many times.
pub(crate) const STEPS: u32 = 100;

/// Beyond so many phones a book changes no more often.
const BUSIEST: usize = 25;

/// So many phones of a larger team have their own contacts in the run.
const WITH_CONTACTS: usize = 3;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WORKING_DAY: Duration = Duration::from_secs(8 * 60 * 60);

impl Mix {
    /// The main run: 25 phones of 8 people, three days.
    pub fn main() -> Self {
        Self {
            devices: 25,
            users: 8,
            contacts: 20_000,
            time: DAY * 3,
            steps: STEPS,
            shared: 0.15,
            change_every: Duration::from_secs(30 * 60),
            slowness: 1,
            in_step: false,
            page: 500,
            tombstones_kept: DAY / 2,
            through_providers: false,
            rates: Rates::usual(),
        }
    }

    /// A draw of the standard mix: few phones and contacts, one day, and much that they share.
    pub fn standard(chance: &mut impl Rng) -> Self {
        let devices = chance.random_range(3..=8);
        Self {
            devices,
            users: users_of(devices),
            contacts: chance.random_range(10..=200),
            time: DAY,
            steps: STEPS,
            shared: chance.random_range(0.2..0.9),
            change_every: Duration::from_secs(60 * chance.random_range(5..60)),
            slowness: 1 << chance.random_range(0..7),
            in_step: chance.random_bool(0.5),
            page: if chance.random_bool(0.5) { 500 } else { chance.random_range(1..20) },
            tombstones_kept: Duration::from_secs(60 * 60 * chance.random_range(1..12)),
            rates: swarm(chance),
            through_providers: chance.random_bool(0.3),
        }
    }

    /// With so many phones, and as many people as that makes. A large team is watched for a
    /// working day.
    #[must_use]
    pub fn with_devices(self, devices: usize) -> Self {
        let time = if devices > BUSIEST { self.time.min(WORKING_DAY) } else { self.time };
        let through_providers = self.through_providers || devices > BUSIEST;
        Self { devices, users: users_of(devices), time, through_providers, ..self }
    }

    /// Whether the run has a phone's own contacts and calls.
    pub(crate) fn has_providers(&self, phone: usize) -> bool {
        self.through_providers && (self.devices <= BUSIEST || phone < WITH_CONTACTS)
    }

    /// How long a step takes.
    pub(crate) fn step(&self) -> Duration {
        self.time / STEPS
    }

    /// How long it is until the faults stop.
    pub fn until_calm(&self) -> Duration {
        self.step() * self.steps
    }

    /// How often a phone does what its whole team hears of: in a large team each does it less, so that the
    /// book changes, and is out of reach of everyone, as often as the book of [`BUSIEST`] phones.
    pub(crate) fn share(&self) -> f64 {
        (BUSIEST as f64 / self.devices as f64).min(1.0)
    }

    /// The rates at which faults strike in a team of this size: those that the whole team feels are shared.
    pub(crate) fn team_rates(&self) -> Rates {
        use Fault::{ContactRestored, ContactSplit, Partition, PhoneEdited};
        self.rates.with(&[Partition, PhoneEdited, ContactRestored, ContactSplit], self.share())
    }
}

/// Some faults, each draw others, so that the frequent ones do not drown the rare.
fn swarm(chance: &mut impl Rng) -> Rates {
    let rates = Rates::usual().times(chance.random_range(0.0..6.0));
    match chance.random_bool(0.2) {
        true => rates,
        false => rates.filter(|_| chance.random_bool(0.5)),
    }
}

/// Three phones a person, as in the main run.
fn users_of(devices: usize) -> usize {
    (devices * 8).div_ceil(25)
}
