//! What phones have before they sign in, and what their users will type.

use std::collections::BTreeMap;

use callbook_base::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::chances::{Chances, Place};
use crate::fault::Fault;
use crate::keys::Keys;
use crate::mix::{Mix, STEPS};
use crate::rows::Row;
use crate::spelling::{Spelling, respell};
use crate::world::{START, split};

/// How many numbers a user may type, or be called from.
const MOST_OTHERS: usize = 200;
const FEWEST_OTHERS: usize = 10;

/// What a phone has before it signs in, and what its user may type later.
#[derive(Default)]
pub(crate) struct PhoneBook {
    /// Saved contacts: when, and the number.
    pub(crate) saved: Vec<(Timestamp, Spelling)>,
    /// Numbers of people who will call, or be saved.
    pub(crate) others: Vec<Spelling>,
    /// New customers, which others enter too, in the order of their times.
    pub(crate) customers: Vec<Customer>,
}

impl PhoneBook {
    /// The region of its SIM: in which most of its numbers were written.
    pub(crate) fn home(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let written = self.saved.iter().map(|(_, spelling)| spelling).chain(&self.others);
        for spelling in written.filter(|it| !it.region.is_empty() && !it.number.starts_with('+')) {
            *counts.entry(&spelling.region).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map_or_else(String::new, |(region, _)| region.to_owned())
    }

    /// Half of what its user will type is as people write it at home.
    fn is_at_home(&mut self) {
        let home = self.home();
        let is_here = |it: &&Spelling| it.region == home && !it.number.starts_with('+');
        let here: Vec<Spelling> = self.others.iter().filter(is_here).cloned().collect();
        let places = self.others.iter_mut().step_by(2);
        places.zip(here.iter().cycle()).for_each(|(place, here)| place.clone_from(here));
    }
}

/// A new customer, as one user enters it.
pub(crate) struct Customer {
    /// When.
    pub(crate) at: Timestamp,
    /// The number, as this user writes it.
    pub(crate) spelling: Spelling,
    /// For what is left to chance then.
    pub(crate) chance: ChaCha8Rng,
}

/// Gives each row to a phone, and some to others too, in other spellings.
pub(crate) fn phone_books(
    (chances, mix): (&Chances, &Mix),
    rows: &[Row],
    chance: &mut ChaCha8Rng,
) -> (Vec<PhoneBook>, Keys) {
    let mut keys = Keys::default();
    let mut write = |row: &Row, spelling: Spelling| {
        keys.write(row, &spelling);
        spelling
    };
    let mut books: Vec<PhoneBook> = (0..mix.devices).map(|_| PhoneBook::default()).collect();
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
    // In a large team each types less.
    let others = (MOST_OTHERS as f64 * mix.share()).max(FEWEST_OTHERS as f64) as usize;
    for book in &mut books {
        book.others = (0..others)
            .map(|_| {
                let row = picked[chance.random_range(0..picked.len())];
                write(row, respell(row, chance))
            })
            .collect();
    }
    // Those who call for the first time, at two phones or more within a minute.
    let mut unknown = rows.iter().cycle().skip(from + picked.len()).filter(|row| row.key.is_some());
    for step in 0..STEPS {
        // Not that of a migration which is decided ahead too.
        let mut chance = split(&mut chances.ahead_of(Place::Step(step)));
        let strikes = chances.strikes(Place::Step(step), Fault::SameCustomer, &mut chance);
        let Some(row) = unknown.next().filter(|_| strikes) else { continue };
        let at = Timestamp::from_millis(START).after(mix.step() * step);
        let first = chance.random_range(0..mix.devices);
        for phone in 0..mix.devices.min(5) {
            let at = at.plus_millis(chance.random_range(0..60_000));
            let (spelling, chance) = (write(row, respell(row, &mut chance)), split(&mut chance));
            let customers = &mut books[(first + phone) % mix.devices].customers;
            customers.push(Customer { at, spelling, chance });
        }
    }
    for book in &mut books {
        book.is_at_home();
    }
    for (_, book) in books.iter().enumerate().filter(|(phone, _)| mix.has_providers(*phone)) {
        keys.are_read_in(&book.home());
    }
    (books, keys)
}
