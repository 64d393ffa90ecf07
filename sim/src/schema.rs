//! The book's schema while phones sync: migrations that come after the release that needs them, and those of
//! a release that is yet to come.

use callbook_auth::{Password, PasswordCost, Secret, hash};
use callbook_base::{Epoch, UserId};
use callbook_contacts::Digest;
use callbook_dedup::Tables;
use callbook_worker::database::{Database, Statement};
use callbook_worker::sqlite::Sqlite;
use callbook_worker::{MIGRATIONS, statements};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::chances::Place;
use crate::desk::{PASSWORD, user_name};
use crate::fault::Fault;
use crate::shared::Shared;

/// A migration: the name of its file, and its SQL.
type Migration = (&'static str, &'static str);

/// What a later release might add, which this one does not know.
const LATER: [Migration; 3] = [
    (
        "9001_later.sql",
        "ALTER TABLE contacts ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
         CREATE INDEX contacts_pinned ON contacts (pinned, rev);
         ALTER TABLE history ADD COLUMN reason TEXT;",
    ),
    (
        "9002_later.sql",
        "ALTER TABLE book ADD COLUMN title TEXT NOT NULL DEFAULT '';
         ALTER TABLE devices ADD COLUMN model TEXT;
         ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT '';
         ALTER TABLE calls ADD COLUMN note TEXT;",
    ),
    (
        "9003_later.sql",
        "CREATE TABLE tags (tag TEXT, contact TEXT, PRIMARY KEY (tag, contact)) WITHOUT ROWID;
         CREATE INDEX calls_by_moment ON calls (timestamp, key);
         CREATE INDEX claims_by_contact ON claims (contact);",
    ),
];

/// A book has as many migrations at least: what is asked all the time reads their columns.
const FIRST: usize = 3;

/// A book waits for its migrations until this hundredth of a run, at most.
const LATEST: u32 = 30;

/// Which migrations the book has.
pub(crate) struct Schema {
    /// At this hundredth of the run it gets those that it lacks.
    whole_at: Option<u32>,
    /// All that it is to have.
    all: Vec<Migration>,
}

impl Schema {
    /// Gives a new database the schema with which the run begins.
    pub(crate) fn begin(shared: &Shared, sqlite: &Sqlite) -> Self {
        let is_late = |step: &u32| {
            let mut chance = shared.chances.ahead_of(Place::Step(*step));
            shared.chances.strikes(Place::Step(*step), Fault::MigrationLate, &mut chance)
        };
        let whole_at = (0..LATEST).find(is_late);
        let mut begins_with = MIGRATIONS.len();
        if let Some(step) = whole_at {
            let mut chance = shared.chances.ahead_of(Place::Step(step));
            begins_with = chance.random_range(FIRST..MIGRATIONS.len());
        }
        let schema = Self { whole_at, all: MIGRATIONS.to_vec() };
        migrate(&MIGRATIONS[..begins_with], shared, sqlite);
        schema
    }

    /// Whether an older release has set the book up.
    pub(crate) fn is_older(&self) -> bool {
        self.whole_at.is_some()
    }

    /// Applies migrations, between two batches, if it is time for some.
    pub(crate) fn pass_by(
        &mut self,
        step: u32,
        chance: &mut ChaCha8Rng,
        (shared, sqlite): (&Shared, &Sqlite),
    ) {
        if self.whole_at == Some(step) {
            shared.fault(Fault::MigrationLate);
            migrate(&self.all, shared, sqlite);
        }
        let later = self.all.len() - MIGRATIONS.len();
        if later < LATER.len() && shared.strikes(Place::Step(step), Fault::MigrationEarly, chance) {
            shared.fault(Fault::MigrationEarly);
            self.all.push(LATER[later]);
            migrate(&self.all, shared, sqlite);
        }
    }

    /// Applies what was to come later than the run has gone on.
    pub(crate) fn end(&self, steps: u32, (shared, sqlite): (&Shared, &Sqlite)) {
        if self.whole_at.is_some_and(|at| at >= steps) {
            shared.fault(Fault::MigrationLate);
            migrate(&self.all, shared, sqlite);
        }
    }

    /// Gives a database all that the book is to have.
    pub(crate) fn catch_up(&self, shared: &Shared, sqlite: &Sqlite) {
        apply(&self.all, shared, sqlite);
    }
}

/// Applies those that the database has not had; their names.
fn apply(migrations: &[Migration], shared: &Shared, sqlite: &Sqlite) -> Vec<String> {
    sqlite.migrate(migrations, shared.now()).expect("the migrations are sound").names
}

/// The same to the book as it is, and notes it.
fn migrate(migrations: &[Migration], shared: &Shared, sqlite: &Sqlite) {
    let applied = apply(migrations, shared, sqlite);
    shared.told(|log| {
        let applied = migrations.iter().filter(|(name, _)| applied.iter().any(|it| it == name));
        let statements = applied.flat_map(|(_, sql)| statements(sql));
        let statements: Vec<_> = statements.map(|sql| Statement::new(sql.leak())).collect();
        log.ran(&statements, shared.now(), shared.turn());
    });
}

/// A book and its users, as the first release has set them up.
pub(crate) async fn set_up_long_ago(
    shared: &Shared,
    sqlite: &Sqlite,
    tables: Tables,
    users: usize,
    chance: &mut ChaCha8Rng,
) {
    let now = shared.now();
    let epoch: Epoch = "first".parse().expect("an epoch");
    let book = Statement::new(
        "INSERT INTO book (one, epoch, rev, digest, calls_rev, clock, tables)
         VALUES (1, ?1, 0, ?2, 0, ?3, ?4)",
    );
    let digest = Digest::default().to_string();
    let mut rows = vec![book.bind(epoch.as_str()).bind(digest).bind(now).bind(tables.version)];
    let mut ids = Vec::new();
    for user in 0..users {
        let password = Password::try_from(&Secret::from(PASSWORD)).expect("it is long enough");
        let insert = Statement::new(
            "INSERT INTO users (id, username, password, role, disabled, created_at)
             VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        );
        let id = UserId::new(now, chance.random()).to_string();
        ids.push(id.clone());
        let row = insert
            .bind(id)
            .bind(user_name(user))
            .bind(hash(&password, chance.random(), PasswordCost::SIMULATED))
            .bind(if user == 0 { "admin" } else { "member" })
            .bind(now);
        rows.push(row);
    }
    shared.told(|log| log.ran(&rows, shared.now(), shared.turn()));
    sqlite.batch(rows).await.expect("the first release has these columns");
    shared.have(ids);
}
