//! The phone's log of calls, as Android gives it.

use super::*;
use crate::call_log::{CallRow, CallsWanted};
use crate::settings::{Hours, Private, Settings, WhichCalls};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// A phone and its log.
struct Phone {
    bench: Bench,
    log: Vec<CallRow>,
}

fn row(id: i64, number: &str, date: i64) -> CallRow {
    CallRow {
        id,
        number: Some(number.into()),
        presentation: Some(1),
        date: Some(date),
        duration: Some(5),
        r#type: Some(1),
        line: Some("89-sim".into()),
        utc_offset: 0,
    }
}

impl Phone {
    fn new(settings: Settings) -> Self {
        let mut bench = Bench::synced();
        bench.engine.set_region("US".parse().unwrap()).unwrap();
        bench.engine.set_settings(settings).unwrap();
        Self { bench, log: Vec::new() }
    }

    /// What a driver reads.
    fn read(&self, wanted: CallsWanted) -> Vec<CallRow> {
        let CallsWanted { seen, since, after, limit } = wanted;
        let is_wanted = |row: &&CallRow| {
            (row.id > seen || row.date.is_some_and(|date| date >= since)) && row.id > after
        };
        let mut rows: Vec<_> = self.log.iter().filter(is_wanted).cloned().collect();
        rows.sort_by_key(|row| row.id);
        rows.truncate(limit);
        rows
    }

    /// A pass; how many rows each chunk had.
    fn pass(&mut self) -> Vec<usize> {
        let mut chunks = Vec::new();
        let Some(mut pass) = self.bench.engine.calls() else { return chunks };
        loop {
            assert!(chunks.len() < 100, "no end");
            let rows = self.read(pass.wanted());
            chunks.push(rows.len());
            if !self.bench.engine.take_calls(&mut pass, rows, self.bench.now).unwrap() {
                return chunks;
            }
        }
    }

    /// Numbers that wait to be pushed.
    fn waiting(&self) -> Vec<String> {
        let calls = self.bench.engine.calls_to_push(usize::MAX).unwrap();
        calls.into_iter().map(|(_, call)| call.phone_number.to_string()).collect()
    }

    /// A pass and a sync; the numbers that the book has.
    fn book(&mut self) -> Vec<String> {
        self.pass();
        self.bench.sync();
        self.bench.calls.iter().map(|row| row.call.phone_number.to_string()).collect()
    }
}

#[test]
fn each_call_is_pushed_once_however_often_it_is_read() {
    let mut phone = Phone::new(Settings::default());
    let now = phone.bench.now.as_millis();
    phone.log = (1..=1_200).map(|n| row(n, &n.to_string(), now - 2 * DAY + n * 100_000)).collect();
    assert_eq!(phone.pass(), [500, 500, 200]);
    assert_eq!(phone.waiting().len(), 1_200);
    assert_eq!(phone.book().len(), 1_200);
    // Those of the last day are read again, and known.
    let read: usize = phone.pass().iter().sum();
    assert!((800..1_000).contains(&read), "{read}");
    assert_eq!(phone.waiting(), Vec::<String>::new());
    let before = format!("{:?}", phone.bench.engine.store());
    phone.pass();
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before, "and nothing is written");
    // One that comes late, one of today, and one that the phone forgets.
    phone.log.push(row(1_300, "late", now - 20 * DAY));
    phone.log.push(row(1_301, "today", now - 5));
    phone.log.remove(3);
    phone.pass();
    assert_eq!(phone.waiting(), ["late", "today"]);
    assert_eq!(phone.book().len(), 1_202);
    phone.bench.crash();
    phone.pass();
    assert_eq!(phone.waiting(), Vec::<String>::new());
}

#[test]
fn a_log_that_counts_its_ids_anew_is_read_whole() {
    let mut phone = Phone::new(Settings::default());
    let now = phone.bench.now.as_millis();
    phone.log = (1..=9).map(|n| row(n, &n.to_string(), now - DAY * 9 + n)).collect();
    phone.book();
    phone.log = vec![row(1, "old", now - 30 * DAY), row(2, "new", now - 5)];
    phone.pass();
    assert_eq!(phone.waiting(), ["old", "new"]);
    phone.book();
    phone.pass();
    assert_eq!(phone.waiting(), Vec::<String>::new());
    // A clock that was years ahead does not make it read all each time.
    phone.log.push(row(3, "ahead", now + 900 * DAY));
    phone.book();
    let before = format!("{:?}", phone.bench.engine.store());
    phone.pass();
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before);
}

#[test]
fn its_user_says_which_calls_follow() {
    #[track_caller]
    fn check(settings: Settings, book: &[&str]) {
        let mut phone = Phone::new(settings);
        let now = phone.bench.now.as_millis();
        phone.bench.rev += 1;
        let number = json!({ "number": "(415) 555-2671", "region": "US" });
        let fields = serde_json::from_value(json!({ "name": "Ann", "phones": [number] })).unwrap();
        phone.bench.put(id(1), fields);
        phone.bench.sync();
        phone.log = vec![
            row(1, "+14155552671", now - 5),
            row(2, "4155552672", now - 4),
            CallRow { presentation: Some(2), ..row(3, "4155552671", now - 3) },
            CallRow { date: None, ..row(4, "4155552673", now) },
        ];
        assert_eq!(phone.book(), book);
    }
    let calls = |calls| Settings { calls, ..Settings::default() };
    check(calls(WhichCalls::All), &["+14155552671", "4155552672", ""]);
    check(calls(WhichCalls::InBook), &["+14155552671"]);
    check(calls(WhichCalls::None), &[]);
    // What is private never leaves, in whatever spelling.
    let private = |entries: &[&str], hours: Vec<Hours>| Settings {
        private: Private { entries: entries.iter().map(|it| it.parse().unwrap()).collect(), hours },
        ..Settings::default()
    };
    check(private(&["415-555-2671"], Vec::new()), &["4155552672", ""]);
    check(private(&[], vec![Hours { days: [true; 7], from: 0, to: 0 }]), &[]);
    check(
        private(&["Zoe"], vec![Hours { days: [false; 7], from: 0, to: 0 }]),
        &["+14155552671", "4155552672", ""],
    );
}

#[test]
fn a_choice_that_changes_brings_what_it_had_left_out() {
    let mut phone = Phone::new(Settings { calls: WhichCalls::InBook, ..Settings::default() });
    let now = phone.bench.now.as_millis();
    phone.log = (1..=3).map(|n| row(n, &n.to_string(), now - 9 * DAY + n)).collect();
    assert_eq!(phone.book(), Vec::<String>::new());
    let lines = [("89-sim".to_owned(), "sim-2".parse().unwrap())].into();
    phone.bench.engine.set_settings(Settings { lines, ..Settings::default() }).unwrap();
    assert_eq!(phone.book(), ["1", "2", "3"]);
    assert_eq!(phone.bench.calls[0].call.line, Some("sim-2".parse().unwrap()));
}
