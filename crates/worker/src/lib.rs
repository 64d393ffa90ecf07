//! The one server: what lives here is routes, plans and SQL over one seam to the database.
//!
//! A rule of the domain must never live here (they are in contacts, calls and auth), nor anything
//! that reads a clock or draws a random number: the host of the service does, once for each request.

mod app;
#[cfg(target_arch = "wasm32")]
mod cloudflare;
pub mod database;
pub mod far;
pub mod older;
mod problem;
mod purge;
mod rekey;
mod restore;
mod retention;
mod routes;
mod settings;
mod sql;
#[cfg(not(target_arch = "wasm32"))]
pub mod sqlite;
mod timing;

pub use app::{App, ClientAddress, Moment};
pub use problem::Problem;
pub use purge::TOMBSTONES_KEPT;
pub use rekey::Rekeying;
pub use retention::{Forgotten, Kept, STEPS_OF_A_WORKER};
pub use routes::{finish, router};
pub use settings::{InvalidSetting, KEEP_HISTORY, SHORTEST_HISTORY, Settings, origin};
pub use timing::Clock;

/// The migrations of the book, in order: file name and SQL.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_book.sql", include_str!("../migrations/0001_book.sql")),
    ("0002_rekey.sql", include_str!("../migrations/0002_rekey.sql")),
    ("0003_deletes.sql", include_str!("../migrations/0003_deletes.sql")),
    ("0004_shared.sql", include_str!("../migrations/0004_shared.sql")),
    ("0005_epochs.sql", include_str!("../migrations/0005_epochs.sql")),
    ("0006_purge.sql", include_str!("../migrations/0006_purge.sql")),
    ("0007_people.sql", include_str!("../migrations/0007_people.sql")),
    ("0008_sign_in.sql", include_str!("../migrations/0008_sign_in.sql")),
    ("0009_sort_name.sql", include_str!("../migrations/0009_sort_name.sql")),
    ("0010_pages.sql", include_str!("../migrations/0010_pages.sql")),
    ("0011_pulled.sql", include_str!("../migrations/0011_pulled.sql")),
];

/// The statements of a migration, for a database that takes them one by one. No text in it has a semicolon.
pub fn statements(migration: &str) -> Vec<String> {
    let without_remarks = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
    let without_remarks: Vec<&str> = without_remarks.collect();
    let text = without_remarks.join("\n");
    let mut statements: Vec<String> = Vec::new();
    for sql in text.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
        match statements.last_mut() {
            // What a trigger does stands between its BEGIN and its END.
            Some(last) if last.contains("CREATE TRIGGER") && !last.ends_with("END") => {
                last.extend(["; ", sql]);
            }
            _ => statements.push(sql.to_owned()),
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_cut_between_its_statements() {
        fn check(migration: &str, expected: &[&str]) {
            assert_eq!(statements(migration), expected, "{migration}");
        }
        check("-- Nothing; yet.\n", &[]);
        check("SELECT 1; -- a; b\nSELECT 2", &["SELECT 1", "SELECT 2"]);
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; SELECT 1; END";
        check(&format!("{trigger};\nSELECT 2;"), &[trigger, "SELECT 2"]);
        check(&format!("{trigger};{trigger};"), &[trigger; 2]);
    }
}
