//! Guesses at passwords that count, and what they are counted under.

use callbook_auth::{FAILURE_COUNTS, GUESS_COUNTS, Guessed};
use callbook_base::Timestamp;

use crate::database::{DatabaseError, Rows, Statement};

/// A guess under way.
pub(crate) struct Guess {
    /// The account, and the address if the host tells one.
    pub(crate) at: Vec<Guessed>,
    /// New for each.
    pub(crate) id: String,
}

impl Guess {
    /// Takes a place at each, where there is one: a statement's change tells, for [`Guess::is_let`].
    pub(crate) fn begin(&self, now: Timestamp) -> Vec<Statement> {
        let begin = |at: &Guessed| {
            Statement::new(
                "INSERT INTO guesses (subject, until, id)
                 SELECT ?1, ?2, ?3
                 WHERE (SELECT count(*) FROM guesses WHERE subject = ?1 AND until > ?4) < ?5",
            )
            .bind(at.to_string())
            .bind(now.after(GUESS_COUNTS))
            .bind(self.id.as_str())
            .bind(now)
            .bind(at.most)
        };
        let free_at = |at: &Guessed| {
            Statement::new(
                "SELECT min(until) AS until FROM guesses
                 WHERE subject = ?1 AND until > ?2",
            )
            .bind(at.to_string())
            .bind(now)
        };
        self.at.iter().map(begin).chain(self.at.iter().map(free_at)).collect()
    }

    /// When a place will be free, if there was none; from the answers to [`Guess::begin`], in their order.
    pub(crate) fn free_at(&self, rows: &[Rows]) -> Result<Option<Timestamp>, DatabaseError> {
        let mut latest = None;
        for (begun, oldest) in rows.iter().zip(rows.iter().skip(self.at.len())) {
            if begun.changes == 0 {
                let until = oldest.first().map(|row| row.time_or_null("until")).transpose()?;
                latest = latest.max(until.flatten());
            }
        }
        Ok(latest)
    }

    /// It was wrong: it counts from now on.
    pub(crate) fn failed(&self, now: Timestamp) -> Vec<Statement> {
        let failed = |at: &Guessed| {
            Statement::new("UPDATE guesses SET until = ?3 WHERE subject = ?1 AND id = ?2")
                .bind(at.to_string())
                .bind(self.id.as_str())
                .bind(now.after(FAILURE_COUNTS))
        };
        self.at.iter().map(failed).collect()
    }

    /// It was right: it counts nowhere, and those before it no longer count for the account.
    pub(crate) fn succeeded(&self) -> Vec<Statement> {
        let succeeded = |(place, at): (usize, &Guessed)| {
            Statement::new("DELETE FROM guesses WHERE subject = ?1 AND (?3 OR id = ?2)")
                .bind(at.to_string())
                .bind(self.id.as_str())
                .bind(place == 0)
        };
        self.at.iter().enumerate().map(succeeded).collect()
    }
}

/// Forgets those that no longer count.
pub(crate) fn purge(now: Timestamp) -> Statement {
    Statement::new("DELETE FROM guesses WHERE until <= ?1").bind(now)
}
