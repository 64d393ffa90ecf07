//! Backups of the book, and the times at which somebody puts one back.

use std::sync::Arc;

use callbook_dedup::Tables;
use callbook_worker::Moment;
use callbook_worker::sqlite::Sqlite;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::chances::Place;
use crate::database::FarDatabase;
use crate::fault::Fault;
use crate::model::Model;
use crate::schema::Schema;
use crate::shared::Shared;
use crate::world::app;

/// How likely a backup is made whenever one might be put back.
const BACKED_UP: f64 = 0.1;

/// Who keeps backups.
#[derive(Default)]
pub(crate) struct Backups {
    last: Option<(Sqlite, Model)>,
}

impl Backups {
    /// Puts the last backup back, makes one, or neither.
    pub(crate) async fn pass_by(
        &mut self,
        step: u32,
        chance: &mut ChaCha8Rng,
        (shared, database, schema): (&Shared, &FarDatabase, &Schema),
    ) {
        let is_backed_up = chance.random_bool(BACKED_UP);
        if shared.strikes(Place::Step(step), Fault::BookRestored, chance) {
            if let Some((sqlite, model)) = &self.last {
                shared.fault(Fault::BookRestored);
                let turn = shared.turn();
                let sqlite = Arc::new(sqlite.copy().expect("SQLite has memory"));
                schema.catch_up(shared, &sqlite);
                // As whoever does it starts the server: the epoch is another before phones come.
                let moment = Moment { now: shared.now(), seed: chance.random() };
                let service = app(sqlite.clone(), Tables::CURRENT);
                service.restored(moment).await.expect("the backup is a book");
                shared.told(|log| log.act("restore", moment, turn));
                shared.book_ends();
                shared.restored(model);
                shared.book_begins(&sqlite);
                database.becomes(sqlite);
            }
        } else if is_backed_up && shared.chances.may_strike(Fault::BookRestored) {
            let copy = database.sqlite().copy().expect("SQLite has memory");
            let moment = Moment { now: shared.now(), seed: [0; 32] };
            shared.told(|log| log.act("backup", moment, shared.turn()));
            self.last = Some((copy, shared.model()));
        }
    }
}
