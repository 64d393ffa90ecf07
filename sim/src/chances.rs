//! All that a run leaves to chance, and where. Each place of a run has a generator of its own, made from
//! the seed and the place's name: so what happens in one does not depend on what is left out of another,
//! and a script can say which changes are made and which faults strike, and nothing else changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64;

use crate::fault::{Fault, Rates};
use crate::script::{Doings, Kept};

/// Where something may happen. Everything is counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A hundredth of the run.
    Step(u32),
    /// A batch of no phone's request.
    Desk(u32),
    /// A phone from its start: its clock, its region.
    Phone(u32),
    /// A change that a phone's user makes.
    Change(u32, u32),
    /// A sync of a phone.
    Sync(u32, u32),
    /// A request of a phone.
    Request(u32, u32),
    /// A batch of a request: the third number.
    Batch(u32, u32, u32),
}

/// Batches of a request that the network has doubled are counted from here.
pub(crate) const COPY: u32 = 100;

impl Place {
    /// Its kind, and its numbers.
    fn parts(self) -> (u32, [u32; 3]) {
        match self {
            Self::Step(n) => (0, [n, 0, 0]),
            Self::Desk(n) => (1, [n, 0, 0]),
            Self::Phone(phone) => (2, [phone, 0, 0]),
            Self::Change(phone, n) => (3, [phone, n, 0]),
            Self::Sync(phone, n) => (4, [phone, n, 0]),
            Self::Request(phone, n) => (5, [phone, n, 0]),
            Self::Batch(phone, request, n) => (6, [phone, request, n]),
        }
    }

    /// The phone, if it is one's.
    pub(crate) fn phone(self) -> Option<u32> {
        match self {
            Self::Step(_) | Self::Desk(_) => None,
            _ => Some(self.parts().1[0]),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(n) => write!(f, "step {n}"),
            Self::Desk(n) => write!(f, "desk {n}"),
            Self::Phone(phone) => write!(f, "phone {phone}"),
            Self::Change(phone, n) => write!(f, "phone {phone} change {n}"),
            Self::Sync(phone, n) => write!(f, "phone {phone} sync {n}"),
            Self::Request(phone, n) => write!(f, "phone {phone} request {n}"),
            Self::Batch(phone, request, n) => {
                write!(f, "phone {phone} request {request} batch {n}")
            }
        }
    }
}

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |word: &str| word.parse::<u32>().map_err(drop);
        Ok(match words.as_slice() {
            ["step", n] => Self::Step(number(n)?),
            ["desk", n] => Self::Desk(number(n)?),
            ["phone", phone] => Self::Phone(number(phone)?),
            ["phone", phone, "change", n] => Self::Change(number(phone)?, number(n)?),
            ["phone", phone, "sync", n] => Self::Sync(number(phone)?, number(n)?),
            ["phone", phone, "request", n] => Self::Request(number(phone)?, number(n)?),
            ["phone", phone, "request", request, "batch", n] => {
                Self::Batch(number(phone)?, number(request)?, number(n)?)
            }
            _ => return Err(()),
        })
    }
}

/// What happens by chance: drawn from the seed, or as a script says.
pub(crate) struct Chances {
    seed: u64,
    rates: Rates,
    kept: Option<Kept>,
    happened: Mutex<Happened>,
}

/// What has happened of all that may.
#[derive(Default)]
struct Happened {
    kept: Kept,
    /// What there is to say of places, if the run is to be told.
    notes: Option<BTreeMap<Place, String>>,
}

impl Chances {
    /// `tells` asks for notes.
    pub(crate) fn new(seed: u64, rates: Rates, kept: Option<Kept>, tells: bool) -> Self {
        let happened = Happened { kept: Kept::default(), notes: tells.then(BTreeMap::new) };
        Self { seed, rates, kept, happened: Mutex::new(happened) }
    }

    fn happened(&self) -> MutexGuard<'_, Happened> {
        self.happened.lock().expect("nothing panics with it")
    }

    /// What has happened so far, and the notes on it.
    pub(crate) fn tell(&self) -> (Kept, BTreeMap<Place, String>) {
        let happened = self.happened();
        (happened.kept.clone(), happened.notes.clone().unwrap_or_default())
    }

    /// Something to say of a place.
    pub(crate) fn note(&self, place: Place, text: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.happened().notes {
            notes.insert(place, text());
        }
    }

    /// The generator of a place.
    pub(crate) fn at(&self, place: Place) -> ChaCha8Rng {
        let (kind, numbers) = place.parts();
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        for (part, number) in key[8..].chunks_exact_mut(4).zip([kind].into_iter().chain(numbers)) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// Another generator of a place, for what is known before the run comes there.
    pub(crate) fn ahead_of(&self, place: Place) -> ChaCha8Rng {
        let mut chance = self.at(place);
        chance.set_stream(1);
        chance
    }

    /// A generator of a place for one fault, which no other draws from: a fault that is new leaves scripts that
    /// were kept before it as they are.
    pub(crate) fn of(&self, place: Place, fault: Fault) -> ChaCha8Rng {
        let mut chance = self.at(place);
        chance.set_stream(xxh3_64(fault.name().as_bytes()));
        chance
    }

    /// Whether a fault strikes there.
    pub(crate) fn strikes(&self, place: Place, fault: Fault, chance: &mut ChaCha8Rng) -> bool {
        let drawn = chance.random_bool(self.rates[fault]);
        let strikes =
            self.kept.as_ref().map_or(drawn, |kept| kept.strikes.contains(&(place, fault)));
        if strikes {
            self.happened().kept.strikes.insert((place, fault));
        }
        strikes
    }

    /// The same of a fault that has a generator of its own there: that, if it strikes, for what else is drawn.
    pub(crate) fn strikes_alone(&self, place: Place, fault: Fault) -> Option<ChaCha8Rng> {
        // It is asked at each request and batch, also where nothing can come of it.
        if self.kept.is_none() && self.rates[fault] == 0.0 {
            return None;
        }
        let mut chance = self.of(place, fault);
        self.strikes(place, fault, &mut chance).then_some(chance)
    }

    /// Whether a fault may strike in this run.
    pub(crate) fn may_strike(&self, fault: Fault) -> bool {
        match &self.kept {
            None => self.rates[fault] > 0.0,
            Some(kept) => kept.strikes.iter().any(|(_, other)| *other == fault),
        }
    }

    /// Whether a phone takes part.
    pub(crate) fn has_phone(&self, phone: u32) -> bool {
        let has = self.kept.as_ref().is_none_or(|kept| kept.phones.contains_key(&phone));
        if has {
            self.happened().kept.phones.entry(phone).or_default();
        }
        has
    }

    /// Whether a phone has the nth of its saved contacts.
    pub(crate) fn has_saved(&self, phone: u32, n: u32) -> bool {
        self.does(phone, n, |doings| &doings.saves, |doings| &mut doings.saves)
    }

    /// Whether the user of a phone makes the nth change.
    pub(crate) fn has_change(&self, phone: u32, n: u32) -> bool {
        self.does(phone, n, |doings| &doings.changes, |doings| &mut doings.changes)
    }

    fn does(
        &self,
        phone: u32,
        n: u32,
        asked: fn(&Doings) -> &BTreeSet<u32>,
        done: fn(&mut Doings) -> &mut BTreeSet<u32>,
    ) -> bool {
        let has = |kept: &Kept| kept.phones.get(&phone).is_some_and(|it| asked(it).contains(&n));
        let does = self.kept.as_ref().is_none_or(has);
        if does {
            done(self.happened().kept.phones.entry(phone).or_default()).insert(n);
        }
        does
    }
}
