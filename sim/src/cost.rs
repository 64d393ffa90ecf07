//! What each request costs, in the words of D1's bill, and what it may cost at most. The point of the limits
//! is what is not in them: the size of the book.

use axum::http::Method;
use callbook_base::Cursor;
use callbook_worker::database::{Rows, Statement};

use crate::network::Delivered;

/// What a request, or several, made the database do, and what was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Batches that reached the database.
    pub batches: u64,
    /// Statements in them.
    pub statements: u64,
    /// Rows that they gave. D1 bills those that it looked at too, which the steps tell.
    pub rows_given: u64,
    /// Rows of tables that they changed. D1 bills their entries in indexes too.
    pub rows_changed: u64,
    /// Steps of SQLite's virtual machine.
    pub steps: u64,
    /// Of the bodies of requests.
    pub bytes_in: u64,
    /// Of the bodies of answers.
    pub bytes_out: u64,
}

impl Cost {
    /// A batch that reaches the database, whatever becomes of it.
    pub(crate) fn sent(&mut self, statements: &[Statement]) {
        self.batches += 1;
        self.statements += statements.len() as u64;
    }

    /// What a batch did.
    pub(crate) fn done(&mut self, answer: &[Rows]) {
        for rows in answer {
            self.rows_given += rows.len() as u64;
            self.rows_changed += rows.changes;
            self.steps += rows.steps;
        }
    }

    /// The costs of both.
    pub(crate) fn add(&mut self, other: &Self) {
        self.batches += other.batches;
        self.statements += other.statements;
        self.rows_given += other.rows_given;
        self.rows_changed += other.rows_changed;
        self.steps += other.steps;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}

/// D1 lets a Worker of the free plan run so many statements an invocation.
const MOST_STATEMENTS: u64 = 50;

/// What a pull may take: so many steps, and so many more for each row that the database gave. Twice what
/// was measured, over the standard mix and books of 20,000 contacts, which was the same: 110 and 228 for
/// contacts, which are 101 where no page is full of contacts with many numbers, some of them asleep; 71 and
/// 19 for calls. A step of re-keying that a pull takes reads its own rows, and stays below that too.
const CONTACTS: (u64, u64) = (220, 460);
const CALLS: (u64, u64) = (150, 40);

/// A first pull passes over hidden contacts and tombstones, in the index: 15 steps each were measured.
const PASSED_OVER: u64 = 30;

/// A pull also looks for each contact that the phone names: 10 steps each were measured.
const NAMED: u64 = 20;

/// Why a request costs more than any may. `contacts` are those of the book, of every state; only a first
/// pull may take longer when they are more.
pub(crate) fn excess(sent: &Delivered, cost: &Cost, contacts: usize) -> Option<String> {
    let (method, path) = (&sent.method, &sent.path);
    if cost.statements > MOST_STATEMENTS {
        return Some(format!("{method} {path} ran {} statements", cost.statements));
    }
    let most = most_steps(sent, cost.rows_given, contacts)?;
    (cost.steps > most).then(|| {
        let Cost { steps, rows_given, .. } = cost;
        format!("{method} {path} took {steps} steps for {rows_given} rows, and may take {most}")
    })
}

/// How many steps a pull may take; what else there is has no such limit.
fn most_steps(sent: &Delivered, rows: u64, contacts: usize) -> Option<u64> {
    if sent.method != Method::GET {
        return None;
    }
    let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
    let (base, a_row) = match path {
        "/sync/contacts" => CONTACTS,
        "/sync/calls" => CALLS,
        _ => return None,
    };
    let value = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
    let cursor = value("cursor=").and_then(|cursor| cursor.parse::<Cursor>().ok());
    let named = value("ids=").map_or(0, |ids| ids.split(',').count() as u64);
    let is_first = cursor.is_none_or(|cursor| cursor.first.is_some());
    let passed_over = if is_first { PASSED_OVER * contacts as u64 } else { 0 };
    Some(base + a_row * rows + passed_over + NAMED * named)
}

#[cfg(test)]
mod tests {

    use callbook_base::{Rev, Timestamp};

    use super::*;
    use crate::Place;

    /// Whether a request that got ten rows from a book of a thousand contacts may cost that.
    fn check(path: &str, (statements, steps): (u64, u64), is_fine: bool) {
        let place = Some(Place::Request(0, 0));
        let sent = Delivered::new(place, Timestamp::MIN, (Method::GET, path), None, "");
        let cost = Cost { statements, rows_given: 10, steps, ..Cost::default() };
        let excess = excess(&sent, &cost, 1_000);
        assert_eq!(excess.is_none(), is_fine, "{path}, {cost:?}: {excess:?}");
    }

    #[test]
    fn only_a_first_pull_may_take_longer_in_a_larger_book() {
        let pull = |path: &str, first| {
            let (epoch, last) = ("e".parse().unwrap(), String::new());
            format!("{path}?cursor={}", Cursor { epoch, rev: Rev(7), last, first })
        };
        let first_page = "/sync/contacts".to_owned();
        for (path, most) in [
            (pull("/sync/contacts", None), 4_820),
            (format!("{}&limit=20", pull("/sync/contacts", None)), 4_820),
            (format!("{}&ids=a,b,c", pull("/sync/contacts", None)), 4_880),
            (pull("/sync/contacts", Some(Rev(9))), 34_820),
            (first_page, 34_820),
            (pull("/sync/calls", None), 550),
        ] {
            check(&path, (3, most), true);
            check(&path, (3, most + 1), false);
        }
        check("/me", (50, 1_000_000), true);
        check("/me", (51, 0), false);
    }
}
