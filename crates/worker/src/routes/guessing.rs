//! A guess at a password: counted from its beginning, and remembered when it was wrong (section 7).

use std::net::IpAddr;

use callbook_auth::{Act, AuthError, GUESS_COUNTS, Guessed, retry_after};
use callbook_base::UserId;

use crate::app::{App, Chance, Moment};
use crate::database::Statement;
use crate::problem::Problem;
use crate::sql::audit::{self, Entry};
use crate::sql::guesses::Guess;
use crate::sql::users::{self, Account};

/// A guess under way.
pub(super) struct Guessing<'a> {
    app: &'a App,
    moment: Moment,
    address: Option<IpAddr>,
    guess: Guess,
    /// Whose account it turned out to be.
    user: Option<UserId>,
}

impl<'a> Guessing<'a> {
    /// Takes a place for it, and reads the account with the statement; refuses when there is no place.
    pub(super) async fn begin(
        app: &'a App,
        moment: Moment,
        chance: &mut Chance,
        (username, address): (&str, Option<IpAddr>),
        account: Option<Statement>,
    ) -> Result<(Self, Option<Account>), Problem> {
        let at = [Guessed::account(username)].into_iter().chain(address.map(Guessed::address));
        let guess = Guess { at: at.collect(), id: chance.hex() };
        let begin = guess.begin(moment.now);
        let begun = begin.len();
        let rows = app.batch(begin.into_iter().chain(account).collect()).await?;
        if let Some(free_at) = guess.free_at(&rows[..begun])? {
            // So soon only because guesses are under way, which may all be right, or a failure has all but passed.
            if free_at <= moment.now.after(GUESS_COUNTS) {
                return Err(Problem::busy(moment));
            }
            return Err(Problem::from(AuthError::TooManyFailures)
                .retry_after(retry_after(free_at, moment.now)));
        }
        let account = rows.get(begun).map(users::read_account).transpose()?.flatten();
        let user = account.as_ref().map(|account| account.user.id);
        Ok((Self { app, moment, address, guess, user }, account))
    }

    /// It was wrong. The same is done and answered whatever was.
    pub(super) async fn failed(self) -> Problem {
        let entry = Entry { address: self.address, ..Entry::of(Act::SignInFailed, self.user) };
        let mut writes = self.guess.failed(self.moment.now);
        writes.push(audit::record(&entry, self.moment));
        match self.app.batch(writes).await {
            Ok(_) => AuthError::InvalidCredentials.into(),
            Err(problem) => problem,
        }
    }

    /// It was right: what is to be written then.
    pub(super) fn succeeded(&self) -> Vec<Statement> {
        self.guess.succeeded()
    }
}
