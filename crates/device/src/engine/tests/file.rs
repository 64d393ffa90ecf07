//! An engine whose store is a file.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{Session, SqliteStore};

/// What the server of a bench answers, until there is nothing to do. The paths that were asked for.
fn sync(engine: &mut Engine<SqliteStore>, bench: &mut Bench) -> Result<Vec<String>, StoreError> {
    let mut asked = Vec::new();
    engine.start_sync();
    while let Next::Send(request) = engine.next(bench.now, &mut bench.chance)? {
        asked.push(request.path.clone());
        assert!(asked.len() < 100, "no end");
        let answer = bench.answer(&request);
        engine.receive(request.id, answer, bench.now, &mut bench.chance)?;
    }
    Ok(asked)
}

fn open(path: &Path, session: Option<Session>) -> Engine<SqliteStore> {
    Engine::open(SqliteStore::open(path, session).unwrap()).unwrap()
}

fn signed_in(path: &Path, bench: &mut Bench) -> Engine<SqliteStore> {
    let mut engine = open(path, None);
    let (name, platform) = ("phone".parse().unwrap(), "test".parse().unwrap());
    engine.sign_in("ann".into(), "correct horse".into(), name, platform);
    sync(&mut engine, bench).unwrap();
    engine
}

fn session_of(engine: &Engine<SqliteStore>) -> Option<Session> {
    engine.store().state().unwrap().session
}

fn others(bench: &mut Bench, contacts: usize) {
    bench.rev += 1;
    for n in 0..contacts {
        let fields = Fields {
            name: Some(format!("Name {n}").parse().unwrap()),
            note: Some("x".repeat(400).parse().unwrap()),
            ..Fields::default()
        };
        bench.put(ContactId::new(Timestamp::from_millis(n as i64), [0; 10]), fields);
    }
}

fn count(engine: &Engine<SqliteStore>) -> usize {
    engine.store().not_seen_in(u64::MAX).unwrap().len()
}

#[test]
fn a_quiet_sync_costs_one_request_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut bench = Bench::new();
    others(&mut bench, 20);
    bench.calls.push(pulled_call(2, call(5)));
    let mut engine = signed_in(&path, &mut bench);
    engine.create(named("Ann"), bench.now, &mut bench.chance).unwrap();
    sync(&mut engine, &mut bench).unwrap();
    let files = || {
        let all = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        // The index of the WAL is in memory that processes share; it is in a file by name only.
        let all = all.filter(|path| !path.to_string_lossy().ends_with("-shm"));
        let mut all: Vec<_> = all.map(|path| (fs::read(&path).unwrap(), path)).collect();
        all.sort();
        all
    };
    let before = files();
    for _ in 0..3 {
        assert_eq!(sync(&mut engine, &mut bench).unwrap().len(), 1);
    }
    assert!(files() == before, "a file has changed");
    // Also after a start.
    let session = session_of(&engine);
    drop(engine);
    let mut engine = open(&path, session);
    let before = files();
    assert_eq!(sync(&mut engine, &mut bench).unwrap().len(), 1);
    assert!(files() == before, "a file has changed");
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_sync_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut bench = Bench::new();
    let mut engine = signed_in(&path, &mut bench);
    engine.create(named("Ann"), bench.now, &mut bench.chance).unwrap();
    engine.store().may_grow_by(2).unwrap();
    others(&mut bench, 100);
    assert_eq!(sync(&mut engine, &mut bench).unwrap_err(), StoreError::Full);
    assert_eq!(count(&engine), 0, "a page is taken as a whole");
    let session = session_of(&engine);
    drop(engine);
    // There is room again.
    let mut engine = open(&path, session);
    sync(&mut engine, &mut bench).unwrap();
    assert_eq!(count(&engine), 101);
    assert!(engine.status().unwrap().is_quiet());
}

#[test]
fn a_store_that_is_rebuilt_keeps_what_was_not_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut bench = Bench::new();
    others(&mut bench, 3);
    let mut engine = signed_in(&path, &mut bench);
    engine.create(named("Ann"), bench.now, &mut bench.chance).unwrap();
    let session = session_of(&engine);
    drop(engine);
    let mut engine = Engine::open(SqliteStore::rebuild(&path, session).unwrap()).unwrap();
    assert_eq!((count(&engine), engine.status().unwrap().unpushed), (0, 1));
    sync(&mut engine, &mut bench).unwrap();
    assert_eq!(count(&engine), 4);
    assert!(bench.fields(bench.book[3].id).is_some());
    // A store that is well is pulled anew in place.
    engine.rebuild().unwrap();
    assert!(sync(&mut engine, &mut bench).unwrap().contains(&"/sync/contacts".to_owned()));
    assert_eq!(count(&engine), 4);
    assert!(engine.status().unwrap().is_quiet());
}

#[test]
fn a_cursor_of_another_book_is_noticed_and_nothing_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut bench = Bench::new();
    others(&mut bench, 3);
    let mut engine = signed_in(&path, &mut bench);
    others(&mut bench, 4);
    engine.start_sync();
    let Next::Send(request) = engine.next(bench.now, &mut bench.chance).unwrap() else { panic!() };
    assert_eq!(request.path, "/sync/contacts?cursor=at1");
    // The answer, with the cursor and the epoch of another book.
    let answer = PullAnswer { epoch: "elsewhere".into(), cursor: "theirs".into(), ..bench.page() };
    engine.receive(request.id, ok(&answer), bench.now, &mut bench.chance).unwrap();
    let state = engine.store().state().unwrap();
    assert_eq!((state.cursor.as_deref(), state.epoch.as_deref()), (Some("at1"), Some("book")));
    assert_eq!(count(&engine), 3);
    sync(&mut engine, &mut bench).unwrap();
    assert_eq!(count(&engine), 4);
}

#[test]
fn who_gives_up_is_heard_at_once_and_nothing_is_lost() {
    /// A phone syncs whose store is given up at the n-th time that it asks. Whether it was.
    fn is_given_up_at(n: usize) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut bench = Bench::new();
        let mut engine = signed_in(&path, &mut bench);
        others(&mut bench, 40);
        let changed: Vec<ContactId> = bench.book.iter().map(|row| row.id).take(5).collect();
        sync(&mut engine, &mut bench).unwrap();
        others(&mut bench, 60);
        for id in &changed {
            engine.edit(*id, named("Ann"), &mut bench.chance).unwrap();
        }
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        engine.store.stop_when(move || counted.fetch_add(1, Ordering::Relaxed) >= n);
        let outcome = sync(&mut engine, &mut bench);
        let is_given_up = outcome.is_err();
        let asked = asked.load(Ordering::Relaxed);
        match outcome {
            Err(error) => {
                assert_eq!(error, StoreError::Stopped);
                assert_eq!(asked, n + 1, "nothing was done after that");
            }
            Ok(_) => assert!(asked <= n),
        }
        engine.store.stop_when(|| false);
        sync(&mut engine, &mut bench).unwrap();
        assert!(engine.status().unwrap().is_quiet());
        assert_eq!((count(&engine), engine.status().unwrap().resyncs), (60, 0));
        for id in changed {
            assert_eq!(engine.contact(id).unwrap(), bench.fields(id));
            assert_eq!(bench.fields(id).unwrap().name.unwrap().as_str(), "Ann");
        }
        is_given_up
    }
    let given_up = (0..).step_by(5).take_while(|n| is_given_up_at(*n)).count();
    assert!(given_up > 20, "{given_up}");
}
