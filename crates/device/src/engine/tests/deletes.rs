//! Deletes that are many are asked about before the first of them is sent.

use super::*;

/// A phone whose book has so many contacts, all made elsewhere.
fn with_book(contacts: usize) -> (Bench, Vec<ContactId>) {
    let mut bench = Bench::synced();
    bench.rev += 1;
    let ids = (0..contacts).map(|n| ContactId::new(Timestamp::from_millis(n as i64), [0; 10]));
    let ids: Vec<ContactId> = ids.collect();
    for id in &ids {
        bench.put(*id, Fields::default());
    }
    bench.sync();
    (bench, ids)
}

impl Bench {
    fn delete(&mut self, ids: &[ContactId]) {
        for id in ids {
            self.engine.delete(*id, &mut self.chance).unwrap();
        }
    }

    fn asks_about(&self) -> usize {
        self.engine.status().unwrap().unconfirmed_deletes
    }

    fn live(&self) -> usize {
        self.book.iter().filter(|row| matches!(row.form, Form::Visible(_))).count()
    }
}

#[test]
fn deletes_are_counted_before_the_first_is_sent() {
    /// In a book of so many contacts so many are deleted, all at once: how many are asked about.
    #[track_caller]
    fn check(contacts: usize, deleted: usize, asked: usize) {
        let (mut bench, ids) = with_book(contacts);
        bench.delete(&ids[..deleted]);
        bench.crash();
        bench.sync();
        assert_eq!(bench.asks_about(), asked);
        assert_eq!(bench.live(), contacts - deleted + asked, "in the book");
        assert_eq!(bench.names().len(), contacts - deleted + asked, "on the phone");
        bench.crash();
        bench.sync();
        assert_eq!(bench.asks_about(), asked, "after another start and sync");
    }
    // Few, however small the book.
    check(20, 20, 0);
    check(21, 21, 21);
    // A quarter, and more than that.
    check(100, 25, 0);
    check(100, 26, 26);
    // More than a push may have: none goes before the answer.
    check(3_000, 750, 0);
    check(3_000, 751, 751);
    check(1_200, 1_200, 1_200);
}

#[test]
fn what_counts_as_a_delete() {
    #[track_caller]
    fn check(name: &str, asked: usize, act: impl FnOnce(&mut Bench, &[ContactId])) {
        let (mut bench, ids) = with_book(100);
        act(&mut bench, &ids);
        bench.sync();
        assert_eq!(bench.asks_about(), asked, "{name}");
    }
    check("one by one", 30, |bench, ids| {
        for id in &ids[..30] {
            bench.delete(&[*id]);
            bench.crash();
        }
    });
    check("twice the same", 0, |bench, ids| {
        bench.delete(&ids[..20]);
        bench.delete(&ids[..20]);
    });
    check("brought back", 0, |bench, ids| {
        bench.delete(&ids[..30]);
        for id in &ids[..10] {
            bench.engine.edit(*id, named("Ann"), &mut bench.chance).unwrap();
        }
    });
    check("what the book never had", 0, |bench, ids| {
        let new: Vec<ContactId> = (0..10).map(|_| bench.create("Ann")).collect();
        bench.delete(&ids[..20]);
        bench.delete(&new);
    });
    // The first may be with the server already, and keep their places. The others are asked about.
    check("after some that may have gone", 10, |bench, ids| {
        bench.delete(&ids[..20]);
        bench.until("/sync/contacts");
        bench.receive(Err(NoAnswer::TimedOut));
        bench.delete(&ids[20..30]);
        bench.crash();
    });
    // What a pull has shown is the service's to count.
    check("after some that have gone", 0, |bench, ids| {
        bench.delete(&ids[..20]);
        let push = bench.until("/sync/contacts");
        let answer = bench.answer(&push);
        bench.receive(answer);
        bench.delete(&ids[20..30]);
    });
}

#[test]
fn other_changes_go_and_a_yes_sends_the_deletes() {
    let (mut bench, ids) = with_book(1_000);
    bench.delete(&ids[..600]);
    bench.create("Ann");
    bench.sync();
    assert_eq!((bench.asks_about(), bench.live()), (600, 1_001));
    // A part of them is few.
    let few: Vec<u64> = bench.engine.aside()[..10].iter().map(|aside| aside.place).collect();
    assert!(few.is_sorted());
    bench.engine.send_aside(|aside| few.contains(&aside.place), &mut bench.chance).unwrap();
    bench.sync();
    assert_eq!((bench.asks_about(), bench.live()), (590, 991));
    bench.engine.confirm_deletes(&mut bench.chance).unwrap();
    bench.crash();
    bench.log.clear();
    bench.sync();
    assert_eq!((bench.asks_about(), bench.live()), (0, 401));
    assert_eq!(bench.log.iter().filter(|line| line.contains(' ')).count(), 3, "pushes");
    assert!(bench.engine.status().unwrap().is_quiet());
}

#[test]
fn deleted_before_the_region_is_known() {
    let mut bench = Bench::synced();
    let phone = serde_json::from_value(json!({ "add": { "phones": [{ "number": "5552671" }] } }));
    let id = bench.engine.create(phone.unwrap(), bench.now, &mut bench.chance).unwrap();
    bench.delete(&[id]);
    bench.engine.set_region("US".parse().unwrap()).unwrap();
    assert_eq!(bench.names(), Vec::<String>::new());
}
