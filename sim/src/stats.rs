//! What happened in a run: counts, and the trace that tells two runs apart.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3;

use crate::cost::Cost;
use crate::coverage::Coverage;
use crate::fault::Fault;

/// Counts of one run, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Phones.
    pub devices: u64,
    /// Contacts added, edited and deleted, and calls, by people.
    pub changes: u64,
    /// Calls among them.
    pub calls: u64,
    /// Syncs that ended.
    pub syncs: u64,
    /// Requests that reached the service.
    pub requests: u64,
    /// What all requests cost, those of desks too.
    pub cost: Cost,
    /// The most statements that one request took.
    pub most_statements: u64,
    /// Timers, messages and batches.
    pub events: u64,
    /// What went wrong, on purpose.
    pub faults: BTreeMap<Fault, u64>,
    /// Which of it met which kinds of request.
    pub coverage: Coverage,
    /// Times that a user was asked whether many deletes are meant.
    pub asked_about_deletes: u64,
    /// Times that a user was asked what becomes of contacts that a restored book has lost.
    pub asked_about_lost: u64,
    /// Contacts whose numbers got other keys from a new release.
    pub rekeyed: u64,
    /// Times that a phone was told to pull contacts from the start.
    pub expired: u64,
    /// Tombstones that were old and are gone.
    pub purged: u64,
    /// Contacts in the book at the end that everyone sees.
    pub visible: u64,
    /// Duplicates removed: contacts hidden at the end.
    pub hidden: u64,
    /// Tombstones.
    pub deleted: u64,
    /// Calls stored.
    pub stored_calls: u64,
    /// Rounds of syncs of all phones after the faults until all was quiet.
    pub last_rounds: u64,
    /// Syncs that it took then, the most of any phone.
    pub last_syncs: u64,
    /// Milliseconds of the run's own time.
    pub virtual_ms: u64,
}

impl Stats {
    /// Counts a fault, and the kind of request that it met, if it did one.
    pub fn fault(&mut self, fault: Fault, operation: Option<&'static str>) {
        operation.iter().for_each(|operation| self.coverage.met(fault, operation));
        *self.faults.entry(fault).or_default() += 1;
        self.events += 1;
    }

    /// Counts what a request cost.
    pub fn cost(&mut self, cost: &Cost) {
        self.cost.add(cost);
        self.most_statements = self.most_statements.max(cost.statements);
    }

    /// The counts of both.
    pub fn add(&mut self, other: &Self) {
        self.devices += other.devices;
        self.changes += other.changes;
        self.calls += other.calls;
        self.syncs += other.syncs;
        self.requests += other.requests;
        self.cost.add(&other.cost);
        self.most_statements = self.most_statements.max(other.most_statements);
        self.events += other.events;
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        self.coverage.add(&other.coverage);
        self.asked_about_deletes += other.asked_about_deletes;
        self.asked_about_lost += other.asked_about_lost;
        self.rekeyed += other.rekeyed;
        self.expired += other.expired;
        self.purged += other.purged;
        self.visible += other.visible;
        self.hidden += other.hidden;
        self.deleted += other.deleted;
        self.stored_calls += other.stored_calls;
        self.last_rounds = self.last_rounds.max(other.last_rounds);
        self.last_syncs = self.last_syncs.max(other.last_syncs);
        self.virtual_ms += other.virtual_ms;
    }
}

/// A hash over all that happened, in order: two runs with the same trace were the same run. It is the same on every
/// machine, and nobody is to be kept from making two that are equal: it need be no better than fast.
#[derive(Clone, Default)]
pub struct Trace(Xxh3);

impl Trace {
    /// Adds what happened.
    pub fn note(&mut self, what: &[u8]) {
        self.0.update(what);
        self.0.update(&[0]);
    }

    /// 16 hex digits.
    pub fn finish(self) -> String {
        format!("{:016x}", self.0.digest())
    }
}
