//! Files that are not what they should be, and processes that are killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use callbook_base::Timestamp;
use callbook_calls::{Direction, Seconds};
use rusqlite::hooks::Action;
use tempfile::TempDir;

use super::*;
use crate::outbox::{Change, Why};
use crate::provider::RawId;
use crate::settings::{Interval, Settings};

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn id(n: u64) -> ContactId {
    ContactId::new(Timestamp::from_millis(n as i64), [0; 10])
}

fn op(place: u64) -> Queued {
    let op_id = format!("op-{place}").parse().unwrap();
    Queued { place, op_id, id: id(place), base_rev: Rev(0), change: Change::Delete, acked: None }
}

fn contact(n: u64) -> Mirrored {
    let at = Timestamp::from_millis(5);
    let fields = callbook_contacts::Fields {
        name: Some(format!("Name {n}").parse().unwrap()),
        note: Some("x".repeat(500).parse().unwrap()),
        ..Default::default()
    };
    let updated_by = UserId::new(at, [1; 10]);
    let shown = Shown { created_at: at, updated_at: at, updated_by, fields };
    Mirrored { rev: Rev(n), pass: 0, shown: Arc::new(shown) }
}

fn session() -> Session {
    Session { access: Some("the access token".into()), refresh: "the refresh token".into() }
}

/// A store with something of everything.
fn filled(path: &Path) -> State {
    let mut store = SqliteStore::open(path, None).unwrap();
    let call = Call {
        phone_number: "1".parse().unwrap(),
        timestamp: Timestamp::from_millis(7),
        duration: Seconds(1),
        direction: Direction::Missed,
        line: None,
    };
    let state = State {
        session: Some(session()),
        user: Some(UserId::new(Timestamp::from_millis(1), [1; 10])),
        cursor: Some("c".into()),
        epoch: Some("e".into()),
        next_place: 9,
        acked_seq: 4,
        pass: 3,
        is_whole: true,
        settings: Settings { interval: Interval::minutes(60), ..Settings::default() },
        ..State::default()
    };
    let Queued { place, id, change, .. } = op(3);
    let mut changes = vec![
        StoreChange::State(Box::new(state.clone())),
        StoreChange::PutOp(op(4)),
        StoreChange::PutAside(Aside { place, id, change, why: Why::TooLarge }),
        StoreChange::PutCallToPush(8, call),
        StoreChange::PutLink(Link {
            raw: RawId(1),
            id: Some(id),
            own: true,
            version: 2,
            has: Arc::default(),
            rev: None,
            unfit: None,
        }),
    ];
    changes.extend((0..200).map(|n| StoreChange::PutContact(super::tests::id(n), contact(n))));
    store.commit(changes).unwrap();
    state
}

/// All files of a folder.
fn files(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(entry).collect();
    files.sort();
    files
}

#[test]
fn tokens_are_kept_by_whoever_opens_it() {
    let (folder, path) = place();
    let state = filled(&path);
    let store = SqliteStore::open(&path, None).unwrap();
    assert_eq!(store.state().unwrap(), State { session: None, ..state.clone() });
    drop(store);
    assert_eq!(SqliteStore::open(&path, Some(session())).unwrap().state().unwrap(), state);
    for (name, bytes) in files(&folder) {
        let has = |text: &[u8]| bytes.windows(text.len()).any(|at| at == text);
        assert!(!has(b"the access token") && !has(b"the refresh token"), "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_left_as_it_is() {
    #[track_caller]
    fn check(spoil: impl Fn(&Path), code: &str, is_saved: bool) {
        let (folder, path) = place();
        let state = filled(&path);
        spoil(&path);
        let before = files(&folder);
        let open = || {
            let store = SqliteStore::open(&path, None)?;
            // What an engine reads when it is opened, and what it may read later.
            store.outbox()?;
            store.links()?;
            store.aside()?;
            store.duplicates()?;
            for n in 0..200 {
                store.contact(id(n))?;
            }
            store.state()
        };
        let error = open().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let main = |files: &[(String, Vec<u8>)]| {
            files.iter().find(|(name, _)| name == "store.db").cloned()
        };
        assert_eq!(main(&files(&folder)), main(&before));

        // Rebuilt, it keeps what could be read, and the old file is still there.
        let store = SqliteStore::rebuild(&path, Some(session())).unwrap();
        assert_eq!(store.next_contact(Bound::Unbounded).unwrap(), None);
        let now = store.state().unwrap();
        assert_eq!((now.cursor, now.is_whole, now.session), (None, false, Some(session())));
        if is_saved {
            assert_eq!(store.outbox().unwrap(), [op(4)]);
            assert_eq!((store.aside().unwrap().len(), store.links().unwrap().len()), (1, 1));
            assert_eq!(store.calls_to_push(0, 9).unwrap().len(), 1);
            assert_eq!((now.user, now.acked_seq, now.epoch), (state.user, 4, state.epoch));
            assert_eq!((now.next_place, now.settings), (9, state.settings));
        }
        let old = files(&folder).into_iter().find(|(name, _)| name == "store.db.old-1").unwrap();
        assert_eq!(Some(old.1), main(&before).map(|(_, bytes)| bytes));
        drop(store);
        assert!(SqliteStore::open(&path, None).is_ok());
        SqliteStore::rebuild(&path, None).unwrap();
        assert!(files(&folder).iter().any(|(name, _)| name == "store.db.old-2"));
    }
    let sql = |sql: &'static str| {
        move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap()
    };
    check(
        |path| {
            fs::write(
                path,
                "this is no database, but it is long enough to look like one".repeat(100),
            )
            .unwrap()
        },
        "not_a_store",
        false,
    );
    check(sql("PRAGMA user_version = 99"), "store_newer", true);
    check(sql("PRAGMA application_id = 5"), "not_a_store", true);
    check(sql("UPDATE state SET json = '{'"), "store_damaged", false);
    check(sql("UPDATE contacts SET fields = '{' WHERE rev = 150"), "store_damaged", true);
    check(
        |path| {
            // Pages of contacts, in the middle of the file.
            let mut bytes = fs::read(path).unwrap();
            let half = bytes.len() / 2;
            bytes[half..half + 20_000].fill(0xa5);
            fs::write(path, bytes).unwrap();
        },
        "store_damaged",
        false,
    );
}

#[test]
fn a_store_that_cannot_be_written_is_told() {
    let (_folder, path) = place();
    filled(&path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(&path, flags).unwrap();
    assert_eq!(SqliteStore::with(db, None).unwrap_err(), StoreError::ReadOnly);
    // A folder where the file should be.
    let (folder, _) = place();
    assert_eq!(SqliteStore::open(folder.path(), None).unwrap_err().code(), "store_failed");
    // It is written while the app has it open.
    let mut store = SqliteStore::open(&path, None).unwrap();
    store.db.pragma_update(None, "query_only", true).unwrap();
    assert_eq!(store.commit(vec![StoreChange::PutOp(op(5))]).unwrap_err(), StoreError::ReadOnly);
}

#[test]
fn a_full_disk_takes_nothing_back() {
    let (_folder, path) = place();
    filled(&path);
    let mut store = SqliteStore::open(&path, None).unwrap();
    store.may_grow_by(3).unwrap();
    let before = (store.state().unwrap(), store.outbox().unwrap());
    let many = |from: u64| {
        let state = State { next_place: 99, ..State::default() };
        let mut changes: Vec<_> =
            (from..from + 100).map(|n| StoreChange::PutContact(id(n), contact(n))).collect();
        changes.extend([StoreChange::PutOp(op(98)), StoreChange::State(Box::new(state))]);
        changes
    };
    assert_eq!(store.commit(many(1_000)).unwrap_err(), StoreError::Full);
    assert_eq!((store.state().unwrap(), store.outbox().unwrap()), before);
    assert_eq!(store.rev(id(1_000)).unwrap(), None);
    // There is room again.
    store.db.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    store.commit(many(1_000)).unwrap();
    assert_eq!(store.state().unwrap().next_place, 99);
}

#[test]
fn a_commit_that_changes_nothing_writes_nothing() {
    let (folder, path) = place();
    let state = filled(&path);
    let mut store = SqliteStore::open(&path, Some(session())).unwrap();
    let (before, changes) = (files(&folder), store.db.total_changes());
    store.commit(Vec::new()).unwrap();
    store.commit(vec![StoreChange::State(Box::new(state.clone()))]).unwrap();
    let renewed = Session { access: None, ..session() };
    let state = State { session: Some(renewed), ..state };
    store.commit(vec![StoreChange::State(Box::new(state.clone()))]).unwrap();
    assert_eq!(store.state().unwrap(), state);
    assert_eq!((files(&folder), store.db.total_changes()), (before, changes));
}

#[test]
fn the_latest_events_are_kept() {
    let (_folder, path) = place();
    let mut store = SqliteStore::open(&path, None).unwrap();
    let event = |n: usize| {
        let what = crate::event::Happened::Failing;
        StoreChange::PutEvent(Event { at: Timestamp::from_millis(n as i64), what })
    };
    store.commit((0..MOST_EVENTS + 20).map(event).collect()).unwrap();
    let events = store.events().unwrap();
    assert_eq!((events.len(), events[0].at.as_millis()), (MOST_EVENTS, 20));
}

#[test]
fn the_latest_calls_of_everybody_are_found_by_time() {
    let (_folder, path) = place();
    let mut store = SqliteStore::open(&path, None).unwrap();
    let day = |n: i64| Timestamp::from_millis(n * 86_400_000 + 5);
    let pulled = |n: u8| {
        let user = UserId::new(Timestamp::MIN, [n % 2; 10]);
        let call = Call {
            phone_number: r#"1","timestamp":"2"#.parse().unwrap(),
            timestamp: day(n.into()),
            duration: Seconds(1),
            direction: Direction::Missed,
            line: None,
        };
        let device = callbook_base::DeviceId::new(Timestamp::MIN, [n; 10]);
        PulledCall { id: CallId::of(user, &call), rev: Rev(1), user, device, key: None, call }
    };
    let puts = [3, 1, 4, 2].map(|n| StoreChange::PutCall(pulled(n)));
    store.commit(puts.to_vec()).unwrap();
    let check = |from: Timestamp, to: Timestamp, limit: usize, found: &[u8]| {
        let found: Vec<_> = found.iter().map(|n| pulled(*n)).collect();
        assert_eq!(store.latest_calls(from, to, limit).unwrap(), found);
    };
    check(Timestamp::MIN, Timestamp::MAX, 9, &[4, 3, 2, 1]);
    check(Timestamp::MIN, Timestamp::MAX, 2, &[4, 3]);
    check(day(2), day(4), 9, &[3, 2]);
    check(day(5), Timestamp::MAX, 9, &[]);
}

#[test]
fn a_store_of_an_older_release_is_searched_too() {
    let (_folder, path) = place();
    filled(&path);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("DROP TABLE found_by; DROP TABLE gone; PRAGMA user_version = 1").unwrap();
    drop(db);
    let store = SqliteStore::open(&path, None).unwrap();
    let find = |query: &str| store.find(&Query::new(query), Bound::Unbounded, 9).unwrap();
    assert_eq!(find("name 150"), [id(150)]);
    assert_eq!(find("nobody"), []);
}

/// Commits for ever, each with the rows of one number, and says of each that it is done. It kills itself where it is
/// told: so many points of a kind from the start.
fn commit_until_killed(path: &Path, at: &str, mut nth: u64) {
    let mut store = SqliteStore::open(path, None).unwrap();
    let start = store.state().unwrap().next_place;
    let die = |nth: &mut u64| match *nth {
        0 => {
            let pid = std::process::id().to_string();
            Command::new("kill").args(["-9", &pid]).status().unwrap();
            loop {
                std::thread::park();
            }
        }
        _ => *nth -= 1,
    };
    match at {
        "row" => store
            .db
            .update_hook(Some(move |_: Action, _: &str, _: &str, _: i64| die(&mut nth)))
            .unwrap(),
        "commit" => store
            .db
            .commit_hook(Some(move || {
                die(&mut nth);
                false
            }))
            .unwrap(),
        _ => {}
    }
    for n in start.. {
        if at == "before" {
            die(&mut nth);
        }
        let state = State { next_place: n + 1, ..State::default() };
        let changes = vec![
            StoreChange::PutOp(op(n)),
            StoreChange::PutContact(id(n), contact(n)),
            StoreChange::State(Box::new(state)),
        ];
        store.commit(changes).unwrap();
        if at == "after" {
            die(&mut nth);
        }
        println!("done {n}");
    }
}

#[test]
fn child() {
    let Ok(order) = std::env::var("CALLBOOK_KILL") else { return };
    let mut parts = order.splitn(3, ' ');
    let (at, nth, path) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    commit_until_killed(Path::new(path), at, nth.parse().unwrap());
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_it_said_was_done() {
    let (_folder, path) = place();
    let run = |at: &str, nth: u64, kill_after: Option<usize>| {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sqlite::tests::child", "--nocapture"])
            .env("CALLBOOK_KILL", format!("{at} {nth} {}", path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut done, mut lines) = (None, 0);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some(n) =
                line.unwrap().rsplit_once("done ").and_then(|(_, n)| n.parse::<u64>().ok())
            {
                (done, lines) = (Some(n), lines + 1);
            }
            if Some(lines) == kill_after {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        let store = SqliteStore::open(&path, None).unwrap();
        let next = store.state().unwrap().next_place;
        assert!(done.is_none_or(|done| next > done), "{at} {nth}: {next} after {done:?}");
        let places: Vec<u64> = store.outbox().unwrap().into_iter().map(|op| op.place).collect();
        assert_eq!(places, (0..next).collect::<Vec<_>>(), "{at} {nth}: whole commits");
        assert_eq!(store.not_seen_in(u64::MAX).unwrap().len() as u64, next);
    };
    for at in ["before", "row", "commit", "after"] {
        for nth in 0..4 {
            run(at, nth, None);
        }
    }
    // From outside, at any point.
    for lines in 1..12 {
        run("never", 0, Some(lines));
    }
}
