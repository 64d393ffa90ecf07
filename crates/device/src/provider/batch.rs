//! Operations in batches: each contact's together, as many as Android takes at once. What they do must never be
//! decided here.

use std::collections::VecDeque;

use callbook_base::{ContactId, Rev};
use serde::Serialize;

use super::{Of, Operation, RawId};

/// The most operations from one yield point to the next: Android refuses the 500th (`ContactsProvider2`'s
/// `MAX_OPERATIONS_PER_YIELD_POINT`).
pub const MOST_OPERATIONS: usize = 499;

/// The most bytes of one batch, as far as they can be told here. A call over Binder has a mebibyte for all that are
/// under way at a time.
const MOST_BYTES: usize = 256 * 1024;

/// So long a batch is meant to take, in milliseconds. Nothing interrupts one, and a sync is to end within a second of
/// being cancelled.
const MEANT_MILLIS: usize = 200;

/// So many operations a first batch has: how fast the phone is, it tells.
const FIRST_OPERATIONS: usize = 16;

/// What Android adds to the texts of an operation, about.
const BYTES_OF_AN_OPERATION: usize = 200;

/// For one `applyBatch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// In their order.
    pub operations: Vec<Operation>,
    /// The operations at which Android may yield (`withYieldAllowed`), from 0: each the first of a contact.
    pub yields: Vec<usize>,
}

/// The operations of one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Of which contact of the book, when it is written into the phone.
    pub(crate) id: Option<ContactId>,
    /// Of which raw contact; `None` when its first operation inserts it.
    pub(crate) raw: Option<RawId>,
    /// The rev of the mirror that the phone shows after them, as [`Link::rev`](super::Link::rev) has it.
    pub(crate) rev: Option<Rev>,
    /// References count from the group's first operation.
    pub(crate) ops: Vec<Operation>,
    /// Whether these are only the first operations.
    pub(crate) is_cut: bool,
}

impl Group {
    /// Operations that change nothing that a link notes but `VERSION`, or delete the raw contact.
    pub(crate) fn of(raw: RawId, ops: Vec<Operation>) -> Self {
        Self { id: None, raw: Some(raw), rev: None, ops, is_cut: false }
    }

    /// Operations that write a contact of the book into the phone.
    pub(crate) fn writing(
        id: ContactId,
        raw: Option<RawId>,
        rev: Option<Rev>,
        ops: Vec<Operation>,
    ) -> Self {
        Self { id: Some(id), raw, rev, ops, is_cut: false }
    }

    /// One operation on the phone's labels.
    pub(crate) fn of_labels(op: Operation) -> Self {
        Self { id: None, raw: None, rev: None, ops: vec![op], is_cut: false }
    }

    fn bytes(&self) -> usize {
        self.ops.iter().map(bytes).sum()
    }
}

fn bytes(op: &Operation) -> usize {
    let texts = match op {
        Operation::InsertRow { values, .. } | Operation::UpdateRow { values, .. } => {
            values.0.values().flatten().map(String::len).sum()
        }
        _ => 0,
    };
    BYTES_OF_AN_OPERATION + 2 * texts // UTF-16
}

/// Groups that are to be applied, and how many operations at a time.
#[derive(Debug)]
pub(crate) struct Queue {
    groups: VecDeque<Group>,
    /// More the phone does not take: a contact that needs more is cut.
    most_operations: usize,
    /// More would take it too long: a contact that needs more goes alone.
    at_once: usize,
    most_groups: usize,
}

impl Default for Queue {
    fn default() -> Self {
        let most = MOST_OPERATIONS;
        let at_once = FIRST_OPERATIONS;
        Self { groups: VecDeque::new(), most_operations: most, at_once, most_groups: most }
    }
}

impl Queue {
    pub(crate) fn extend(&mut self, groups: impl IntoIterator<Item = Group>) {
        self.groups.extend(groups);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.groups.clear();
    }

    /// The next groups that fit into a batch. One that alone does not is cut: the rest of it is found missing
    /// when the contact is read again.
    pub(crate) fn next(&mut self) -> Vec<Group> {
        let (mut groups, mut ops, mut bytes) = (Vec::new(), 0, 0);
        while groups.len() < self.most_groups
            && let Some(mut group) = self.groups.pop_front()
        {
            ops += group.ops.len();
            bytes += group.bytes();
            let is_fast = ops <= self.at_once || groups.is_empty();
            if is_fast && ops <= self.most_operations && bytes <= MOST_BYTES {
                groups.push(group);
                continue;
            }
            if groups.is_empty() {
                let fits = fitting(&group.ops, self.most_operations);
                group.is_cut = fits < group.ops.len();
                group.ops.truncate(fits);
                groups.push(group);
            } else {
                self.groups.push_front(group);
            }
            break;
        }
        groups
    }

    /// A batch of these groups was too large: half of it at a time from now on. Those that are not put back, since
    /// there is no half of them.
    pub(crate) fn halve(&mut self, groups: Vec<Group>) -> Vec<Group> {
        let ops: usize = groups.iter().map(|group| group.ops.len()).sum();
        if ops <= 2 {
            return groups;
        }
        self.most_operations = ops / 2;
        groups.into_iter().rev().for_each(|group| self.groups.push_front(group));
        Vec::new()
    }

    /// One of so many groups failed: half as many at a time from now on, to find which.
    pub(crate) fn narrow(&mut self, groups: usize) {
        self.most_groups = (groups / 2).max(1);
    }

    /// A batch of so many operations was applied, in so many milliseconds.
    pub(crate) fn applied(&mut self, operations: usize, millis: usize) {
        self.most_groups = (self.most_groups * 2).min(MOST_OPERATIONS);
        let in_time = operations * MEANT_MILLIS / millis.max(1);
        self.at_once = in_time.clamp(1, 2 * self.at_once).min(MOST_OPERATIONS);
    }
}

/// How many of the first operations fit, and at least two: the first expects or inserts the raw contact.
fn fitting(ops: &[Operation], most: usize) -> usize {
    let mut sum = 0;
    let fit = ops.iter().take_while(|op| {
        sum += bytes(op);
        sum <= MOST_BYTES
    });
    fit.count().min(most).max(2).min(ops.len())
}

impl Batch {
    pub(crate) fn of(groups: &[Group]) -> Self {
        let (mut operations, mut yields) = (Vec::new(), Vec::new());
        for group in groups {
            let start = operations.len();
            yields.push(start);
            operations.extend(group.ops.iter().cloned().map(|op| match op {
                Operation::InsertRow { of: Of::Operation(n), mimetype, values } => {
                    Operation::InsertRow { of: Of::Operation(start + n), mimetype, values }
                }
                op => op,
            }));
        }
        Self { operations, yields }
    }
}
