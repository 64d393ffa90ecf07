//! Restoring, telling apart, and whom an import believes.

use super::*;
use crate::Edit;

impl Shelf {
    /// Puts by device 2, whose times are believed from the floor on.
    fn put(&mut self, floor: Option<Timestamp>, puts: Vec<Put>) -> Vec<Status> {
        let facts = self.facts(2);
        let author =
            Author { user: facts.user, device: facts.id, region: "US".parse().unwrap(), floor };
        let plan = plan_puts(facts.held, self.tables, &author, puts, at(1_000));
        self.write(plan.changes);
        plan.results.iter().map(|result| result.status).collect()
    }

    fn fields(&self, of: char) -> Fields {
        self.rows[&contact(of)].1.clone()
    }

    fn restore(&mut self, of: char, version: &Fields) -> Status {
        let edit = Edit::back_to(&self.fields(of), version);
        self.put(None, vec![Put { id: contact(of), created_at: None, edit }])[0]
    }

    fn split(&mut self, of: char, n: u32) -> Result<Status, SplitError> {
        let key = number_key(&number(n), "US").unwrap();
        let edit = split(&self.facts(2).held, contact(of), key)?;
        Ok(self.put(None, vec![Put { id: contact(of), created_at: None, edit }])[0])
    }
}

#[test]
fn every_edit_delete_and_merge_can_be_undone() {
    /// After `before`, contact A's version is kept; after `then`, it is restored.
    #[track_caller]
    fn check(before: &[&str], then: &[&str], status: Status, shown: &str) {
        let mut shelf = Shelf::new();
        let push = |shelf: &mut Shelf, ops: &[&str]| {
            ops.iter().for_each(|op| drop(shelf.push(1, &op.split("; ").collect::<Vec<_>>())));
        };
        push(&mut shelf, before);
        let version = shelf.fields('A');
        push(&mut shelf, then);
        let rev = shelf.rev;
        assert_eq!(shelf.restore('A', &version), status);
        assert_eq!(shelf.show(), shown);
        assert_eq!(shelf.fields('A'), version, "in its own order too");
        let took = if status == Status::Unchanged { 0 } else { 1 };
        assert_eq!(shelf.rev, Rev(rev.0 + took));
    }
    use Status::{Applied, Hidden, Unchanged};
    check(&["put A 1 =x @1"], &["put A 2 -1 =y"], Applied, "A:1");
    check(&["put A 1,2,3 @1"], &["put A -2", "put A 2"], Applied, "A:1,2,3");
    check(&["put A 1 @1"], &[], Unchanged, "A:1");
    check(&["put A 1 @1"], &["put A =x", "put A =y"], Applied, "A:1");
    // A delete, with what it took.
    check(&["put A 1 @1"], &["put B 1 @2", "del A"], Applied, "A:1 B<A");
    check(&["put A 1 @1; put B 1 @2"], &["put A =x", "del A"], Applied, "A:1 B<A");
    // A merge: what it said before it took a number that another owns.
    check(&["put B 1 @1; put A 2 @2"], &["put A 1 -2"], Applied, "A:2 B:1");
    // And it may come back as a duplicate.
    check(&["put A 1 @2"], &["put A 2 -1; put B 1 @1"], Hidden, "A<B B:1");
}

#[test]
fn a_restored_version_has_the_keys_of_today() {
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 @1"]);
    let mut version = shelf.fields('A');
    version.phones[0].key = None; // older tables knew none
    shelf.push(1, &["put A 2 -1"]);
    assert_eq!(shelf.restore('A', &version), Status::Applied);
    assert_eq!(shelf.show(), "A:1");
}

#[test]
fn the_owner_gives_a_number_up_to_the_next() {
    #[track_caller]
    fn check(before: &str, of: char, n: u32, split: Result<Status, SplitError>, shown: &str) {
        let mut shelf = Shelf::new();
        shelf.push(1, &before.split("; ").collect::<Vec<_>>());
        assert_eq!(shelf.split(of, n), split);
        assert_eq!(shelf.show(), shown);
    }
    use SplitError::{NobodyElse, NotOwner, Unknown};
    let two = "put A 1 @1; put B 1 @2";
    check(two, 'A', 1, Ok(Status::Applied), "A: B:1");
    check("put A 1,2 @1; put B 1 @2; put C 1 @3", 'A', 1, Ok(Status::Applied), "A:2 B:1 C<A");
    check(two, 'B', 1, Err(NotOwner), "A:1 B<A");
    check(two, 'A', 2, Err(NotOwner), "A:1 B<A");
    check(two, 'C', 1, Err(Unknown), "A:1 B<A");
    check("put A 1 @1", 'A', 1, Err(NobodyElse), "A:1");
    check("put A 1 @1; del A", 'A', 1, Err(Unknown), "A!");
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 @1", "put B 1 @2"]);
    shelf.share(1, true);
    assert_eq!(shelf.split('A', 1), Err(SplitError::Shared));
    let codes = [Unknown, NotOwner, NobodyElse, SplitError::Shared].map(SplitError::code);
    assert_eq!(codes, ["not_found", "not_owner", "no_other_claimant", "number_shared"]);
}

#[test]
fn an_import_is_believed_as_far_as_its_author_is() {
    #[track_caller]
    fn check(floor: Option<Timestamp>, claimed: Option<i64>, accepted: i64) {
        let mut shelf = Shelf::new();
        let edit = Edit {
            set: crate::Set { starred: Some(true), ..Default::default() },
            ..Default::default()
        };
        shelf.put(floor, vec![Put { id: contact('A'), created_at: claimed.map(at), edit }]);
        assert_eq!(shelf.rows[&contact('A')].0.created_at, at(accepted));
    }
    check(Some(Timestamp::MIN), Some(-5_000_000), -5_000_000);
    check(Some(Timestamp::MIN), Some(2_000), 1_000);
    check(Some(Timestamp::MIN), None, 1_000);
    check(None, Some(-5_000_000), 1_000);
}
