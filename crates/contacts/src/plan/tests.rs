mod puts;

use std::fmt::Write as _;

use callbook_dedup::number_key;

use super::*;

/// A book in memory: what the service keeps in SQL, so that pushes can follow one another.
#[derive(Clone)]
struct Shelf {
    rev: Rev,
    digest: Digest,
    visible: u64,
    clock: Timestamp,
    rows: BTreeMap<ContactId, (Contact, Fields)>,
    claims: BTreeSet<(NumberKey, Claim)>,
    /// Superseded edits.
    history: Vec<(ContactId, LastEdit)>,
    devices: BTreeMap<u8, Device>,
    shared: BTreeSet<NumberKey>,
    tables: Tables,
}

/// 2026-11-22T10:00:00Z.
const START: i64 = 1_795_341_600_000;

/// Contacts are letters: their ids sort as these do.
fn contact(letter: char) -> ContactId {
    ContactId::new(Timestamp::from_millis(0), [letter as u8; 10])
}

fn letter(id: ContactId) -> char {
    ('A'..='Z').find(|letter| contact(*letter) == id).unwrap()
}

fn device(n: u8) -> DeviceId {
    DeviceId::new(Timestamp::from_millis(0), [n; 10])
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(START + minute * 60_000)
}

/// Number `n`, as one of several spellings.
fn number(n: u32) -> String {
    format!("(415) 555-{n:04}")
}

impl Shelf {
    /// A book whose devices 1 to 3 have had a complete push long ago.
    fn new() -> Self {
        let device = Device { floor: Some(at(-1_000_000)), ..Device::default() };
        Self {
            rev: Rev(0),
            digest: Digest::default(),
            visible: 0,
            clock: at(-1_000_000),
            rows: BTreeMap::new(),
            claims: BTreeSet::new(),
            history: Vec::new(),
            tables: Tables::CURRENT,
            shared: BTreeSet::new(),
            devices: (1..=3).map(|n| (n, device.clone())).collect(),
        }
    }

    /// Pushes ops such as `put A 1,2 @5` (contact A with numbers 1 and 2, made at minute 5), `put A
    /// -1` (gives up number 1), `put A =x` (its name), `del A` and `del A ^2` (with base_rev 2),
    /// from a device.
    fn push(&mut self, by: u8, ops: &[&str]) -> Vec<OpResult> {
        let acked = self.devices[&by].acked_seq;
        let ops = (acked + 1..).zip(ops).map(|(seq, op)| self.op(seq, op)).collect();
        self.send(by, ops).unwrap()
    }

    fn op(&self, op_seq: u64, text: &str) -> PushedOp {
        let mut words = text.split(' ');
        let kind = if words.next() == Some("put") { Kind::Put } else { Kind::Delete };
        let id = contact(words.next().unwrap().chars().next().unwrap());
        let mut base_rev = self.rows.get(&id).map_or(Rev(0), |(row, _)| row.rev);
        let mut created_at = None;
        let mut edit = crate::Edit::default();
        for word in words {
            let (sign, rest) = word.split_at(1);
            match sign {
                "@" => created_at = Some(at(rest.parse().unwrap())),
                "^" => base_rev = Rev(rest.parse().unwrap()),
                "=" => edit.set.name = Some(Some(rest.parse().unwrap())),
                "-" => edit.remove.phones.push(number(rest.parse().unwrap()).parse().unwrap()),
                _ => edit.add.phones.extend(word.split(',').map(|n| crate::NewPhone {
                    number: number(n.parse().unwrap()).parse().unwrap(),
                    region: None,
                    r#type: None,
                    label: None,
                    primary: false,
                })),
            }
        }
        let change = match kind {
            Kind::Put => crate::Change::Put { created_at, edit: Box::new(edit) },
            Kind::Delete => crate::Change::Delete,
        };
        PushedOp {
            op_seq,
            op_id: format!("op-{op_seq}").parse().unwrap(),
            target: Some(crate::Target { id, kind }),
            op: Ok(crate::Op { id, base_rev, change }),
        }
    }

    fn send(&mut self, by: u8, ops: Vec<PushedOp>) -> Result<Vec<OpResult>, PlanError> {
        self.send_of_more(by, ops, &[])
    }

    /// The same, when ops of these names are behind them.
    fn send_of_more(
        &mut self,
        by: u8,
        ops: Vec<PushedOp>,
        also_sent: &[&str],
    ) -> Result<Vec<OpResult>, PlanError> {
        let now = at(1_000);
        let region = "US".parse().unwrap();
        let push = Push {
            epoch: None,
            region,
            sent_at: now,
            complete: None,
            confirm_deletes: false,
            ops,
            also_sent: also_sent.iter().map(|op_id| op_id.parse().unwrap()).collect(),
        };
        let facts = self.facts(by);
        let plan = plan(&facts, &push, now)?;
        Ok(self.apply(by, plan))
    }

    /// The whole book, where the service reads only what the push touches.
    fn facts(&self, by: u8) -> Facts {
        let rows = || self.rows.iter();
        let live = |(_, (row, _)): &(&ContactId, &(Contact, Fields))| row.state.is_live();
        let claims = rows().filter(live).flat_map(|(id, (row, _))| {
            let claim = Claim { created_at: row.created_at, contact: *id };
            row.keys.iter().map(move |key| (*key, claim))
        });
        let mut edited_by_others = BTreeMap::new();
        let last = rows().map(|(id, (row, _))| (*id, row.edit));
        for (id, edit) in self.history.iter().copied().chain(last) {
            if edit.device != device(by) {
                let rev: &mut Rev = edited_by_others.entry(id).or_default();
                *rev = edit.rev.max(*rev);
            }
        }
        Facts {
            held: Held {
                rev: self.rev,
                digest: self.digest,
                visible: self.visible,
                clock: self.clock,
                contacts: rows().map(|(id, (row, _))| (*id, row.clone())).collect(),
                fields: rows().map(|(id, (_, fields))| (*id, fields.clone())).collect(),
                claims: claims.collect(),
                shared: self.shared.clone(),
            },
            tables: self.tables,
            user: UserId::new(at(0), [by; 10]),
            lineage: [(device(by), self.devices[&by].deletes.clone())].into(),
            id: device(by),
            device: self.devices[&by].clone(),
            edited_by_others,
        }
    }

    fn apply(&mut self, by: u8, plan: Plan) -> Vec<OpResult> {
        self.write(plan.changes);
        self.devices.insert(by, plan.device);
        plan.results
    }

    fn write(&mut self, changes: Changes) {
        for (id, row, fields) in changes.edited {
            if let Some((before, _)) = self.rows.insert(id, (row, Fields::clone(&fields))) {
                self.history.push((id, before.edit));
            }
        }
        self.rows.extend(
            changes
                .rekeyed
                .into_iter()
                .map(|(id, row, fields)| (id, (row, Fields::clone(&fields)))),
        );
        for (id, row) in changes.stamped {
            self.rows.get_mut(&id).unwrap().0 = row;
        }
        for claim in changes.unclaimed {
            assert!(self.claims.remove(&claim), "it was there");
        }
        for claim in changes.claimed {
            assert!(self.claims.insert(claim), "it is new");
        }
        (self.rev, self.digest, self.clock) = (changes.rev, changes.digest, changes.clock);
        self.visible = changes.visible;
        self.recompute();
    }

    /// Takes other tables, and gives their keys to so many contacts at a time.
    fn rekey(&mut self, tables: Tables, at_a_time: usize) {
        self.tables = tables;
        let ids: Vec<ContactId> = self.rows.keys().copied().collect();
        for ids in ids.chunks(at_a_time) {
            let mut held = self.facts(1).held;
            held.fields.retain(|id, _| ids.contains(id));
            self.write(rekey(&held, tables, at(2_000)));
        }
    }

    /// Marks number `n` as shared, or no longer.
    fn share(&mut self, n: u32, shared: bool) {
        let key = number_key(&number(n), "US").unwrap();
        let Some(changes) = share(self.facts(1).held, key, shared, at(1_000)) else { return };
        if shared {
            self.shared.insert(key)
        } else {
            self.shared.remove(&key)
        };
        self.write(changes);
    }

    /// What must hold after every push, computed anew from all rows.
    fn recompute(&self) {
        let mut digest = Digest::default();
        for (id, (row, fields)) in &self.rows {
            let older = |key: &NumberKey| {
                self.rows.iter().any(|(other, (theirs, _))| {
                    theirs.state.is_live()
                        && theirs.keys.contains(key)
                        && (theirs.created_at, other) < (row.created_at, id)
                })
            };
            let sleeps = |key: &&NumberKey| older(key) && !self.shared.contains(key);
            let asleep: Vec<_> = row.keys.iter().filter(sleeps).copied().collect();
            let visible = row.keys.is_empty() || asleep.len() < row.keys.len();
            assert_eq!(row.keys, fields.keys());
            if row.state.is_live() {
                assert_eq!(row.asleep, asleep);
                assert_eq!(row.state == State::Visible, visible);
            }
            if row.state == State::Visible {
                digest = digest.with(*id, row.rev);
            }
        }
        assert_eq!(self.digest, digest);
        let live = self.rows.iter().filter(|(_, (row, _))| row.state.is_live());
        let claims = live.flat_map(|(id, (row, _))| {
            let claim = Claim { created_at: row.created_at, contact: *id };
            row.keys.iter().map(move |key| (*key, claim))
        });
        assert_eq!(self.claims, claims.collect());
        let visible = self.rows.values().filter(|(row, _)| row.state == State::Visible);
        assert_eq!(self.visible, visible.count() as u64);
    }

    /// `A:1 B:2(1) C<A D!`: owned numbers, in brackets those asleep; C is hidden by A, D deleted.
    fn show(&self) -> String {
        let mut text = String::new();
        for (id, (row, _)) in &self.rows {
            let list = |asleep: bool| {
                let of = row.keys.iter().filter(|key| row.asleep.contains(key) == asleep);
                of.map(|key| key.to_string()[8..].trim_start_matches('0').to_owned())
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let _ = match &row.state {
                State::Visible if row.asleep.is_empty() => {
                    write!(text, "{}:{} ", letter(*id), list(false))
                }
                State::Visible => write!(text, "{}:{}({}) ", letter(*id), list(false), list(true)),
                State::Hidden { owner } => write!(text, "{}<{} ", letter(*id), letter(*owner)),
                State::Deleted { retired_by: None, .. } => write!(text, "{}! ", letter(*id)),
                State::Deleted { retired_by: Some(by), .. } => {
                    write!(text, "{}!{} ", letter(*id), letter(*by))
                }
            };
        }
        text.trim_end().to_owned()
    }
}

/// Pushes, each from the device before the colon, and the book after them: `1: put A 1; del B`.
#[track_caller]
fn check(pushes: &[&str], shown: &str) {
    let mut shelf = Shelf::new();
    for push in pushes {
        let (by, ops) = push.split_once(": ").unwrap();
        shelf.push(by.parse().unwrap(), &ops.split("; ").collect::<Vec<_>>());
    }
    assert_eq!(shelf.show(), shown, "{pushes:?}");
}

#[test]
fn the_oldest_wins_in_every_order_of_arrival() {
    let [a, b, c] = ["1: put A 1 @1", "2: put B 1,2 @2", "3: put C 2 @3"];
    for pushes in [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        check(&pushes, "A:1 B:2(1) C<B");
    }
    check(&["1: put C 2 @3; put B 1,2 @2; put A 1 @1"], "A:1 B:2(1) C<B");
    // Of the same age the smaller id wins; a contact without a number is seen by all.
    check(&["1: put B 1 @1", "2: put A 1 @1"], "A:1 B<A");
    check(&["1: put A =Ann", "2: put B =Ann"], "A: B:");
    // The owner is the oldest of the owners of its keys when it was hidden, and stays so.
    check(&["1: put B 2 @2; put A 1 @1; put C 1,2 @3"], "A:1 B:2 C<A");
    check(&["1: put B 2 @2; put C 1,2 @3", "1: put A 1 @1"], "A:1 B:2 C<A");
    check(&["1: put B 1 @2; put C 1 @3", "1: put A 1 @1"], "A:1 B<A C<B");
}

#[test]
fn an_edit_that_gives_up_a_number_wakes_the_next() {
    check(&["1: put A 1 @1", "2: put B 1 @2", "3: put C 1 @3", "1: put A -1"], "A: B:1 C<A");
    check(&["1: put A 1 @1", "2: put B 1 @2", "1: put A -1", "2: put A 1"], "A:1 B<A");
    // A number asleep, which the phone does not see, is not lost by an edit of another.
    check(&["1: put A 1 @1", "2: put B 1,2 @2", "2: put B -2 3", "1: put A -1"], "A: B:1,3");
    // A hidden contact is edited like others: another number brings it back.
    check(&["1: put A 1 @1", "2: put B 1 @2", "2: put B 2"], "A:1 B:2(1)");
}

#[test]
fn a_delete_retires_the_hidden_and_lets_the_visible_inherit() {
    check(&["1: put A 1 @1", "2: put B 1 @2", "3: put C 1 @3", "1: del A"], "A! B!A C!A");
    check(&["1: put A 1 @1", "2: put B 1,2 @2", "1: del A"], "A! B:1,2");
    check(&["1: put A 1 @1", "2: put B 1 @2", "3: put C 1,2 @3", "1: del A"], "A! B!A C:1,2");
    // A hidden one that owns nothing frees nothing.
    check(&["1: put A 1 @1", "2: put B 1 @2", "2: del B"], "A:1 B!");
    // A phone replaces a contact: the new one inherits, in one push or, put by it before, in two.
    check(&["1: put A 1 @1", "1: put B 1 @2; del A"], "A! B:1");
    check(&["1: put A 1 @1", "1: put B 1 @2", "1: del A"], "A! B:1");
    check(&["1: put A 1 @1", "2: put B 1 @2", "3: put C 1 @3", "3: del A"], "A! B!A C:1");
    check(&["1: put A 1 @1", "2: put B 1 @2", "1: put B; del A"], "A! B:1");
    // Ops of one push act one after another.
    check(&["1: put A 1 @1; del A"], "A!");
    check(&["1: del A"], "");
}

#[test]
fn a_put_revives_a_tombstone_with_what_its_delete_took() {
    let made = ["1: put A 1 @1", "2: put B 1 @2", "1: del A"];
    let then = |last: &'static str| [made.as_slice(), &[last]].concat();
    check(&then("3: put A =x"), "A:1 B<A");
    check(&then("3: put A -1"), "A: B:1");
    check(&then("3: put B =x"), "A! B:1");
    check(&then("3: put A"), "A:1 B<A");
    // What was revived by itself since, or deleted for another reason, stays as it is.
    check(&[&then("3: put B =x"), &["3: del B", "3: put A =x"][..]].concat(), "A:1 B!");
    check(&["1: put A 1 @1", "1: del A; put A 2"], "A:1,2");
}

#[test]
fn an_edit_beats_a_delete_that_had_not_seen_it() {
    check(&["1: put A 1", "2: put A =x", "1: del A ^1"], "A:1");
    check(&["1: put A 1", "2: put A =x", "1: del A ^2"], "A!");
    check(&["1: put A 1", "1: put A =x", "1: del A ^1"], "A!");
    // Even if its own edit came later.
    check(&["1: put A 1", "2: put A =x", "1: put A =y", "1: del A ^1"], "A:1");
    check(&["1: put A 1", "2: put A =x", "1: put A =y; del A ^1"], "A:1");
    // A stamp is no edit: A lost number 1 to B.
    check(&["1: put A 1,2 @2", "2: put B 1 @1", "1: del A ^1"], "A! B:1");
    // The other order: the delete first, then the edit that had not seen it.
    check(&["1: put A 1", "2: del A", "1: put A =x ^1"], "A:1");
}

#[test]
fn what_retires_with_an_owner_is_put_back_with_it_alone() {
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 @1"]);
    shelf.push(2, &["put B 1 @2"]);
    shelf.push(1, &["del A"]);
    let State::Deleted { took, .. } = &shelf.rows[&contact('A')].0.state else { panic!() };
    assert_eq!(took, &[contact('B')]);
    assert_eq!(shelf.rows[&contact('B')].0.rev, Rev(3), "stamped by the delete");
}

#[test]
fn results_tell_the_state_after_the_whole_push() {
    #[track_caller]
    fn check(before: &[&str], ops: &[&str], statuses: &str) {
        let mut shelf = Shelf::new();
        shelf.push(1, before);
        let results = shelf.push(2, ops);
        let told: Vec<String> = results
            .iter()
            .map(|result| {
                let lost = result.lost.iter().flatten().map(|lost| letter(lost.owner));
                format!(
                    "{:?}{}",
                    result.status,
                    lost.map(|by| format!("<{by}")).collect::<String>()
                )
            })
            .collect();
        assert_eq!(told.join(" "), statuses, "{before:?} {ops:?}");
        let puts = ops.iter().map(|op| op.starts_with("put"));
        assert!(results.iter().map(|result| result.lost.is_some()).eq(puts), "lost, for puts only");
    }
    check(&[], &["put A 1"], "Applied");
    check(&["put A 1 @1"], &["put B 1 @2"], "Hidden<A");
    check(&["put A 1 @1"], &["put B 1,2 @2"], "Applied<A");
    check(&["put A 1 @1"], &["put B 1 @2", "put B 2"], "Applied<A Applied<A");
    check(&["put A 1 =x"], &["put A 1"], "Unchanged");
    check(&["put A 1 =x"], &["put A =x", "put A =y"], "Unchanged Applied");
    check(&["put A 1 =x"], &["put A =x", "del A"], "Deleted Deleted");
    check(&[], &["put A 1", "del A"], "Deleted Deleted");
    check(&[], &["del A"], "Deleted");
    check(&["put A 1"], &["del A", "del A"], "Deleted Deleted");
    check(&["put A 1"], &["del A ^0"], "Kept");
    check(&[], &["put A 1 ^1"], "Rejected");
    check(&["put A 1"], &["put B 2 ^1"], "Rejected");
    check(&["put A 1"], &["put A 2 ^2", "del A ^2", "put A 2"], "Rejected Rejected Applied");
}

#[test]
fn a_push_that_changes_nothing_takes_no_rev() {
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 =x", "put B 1"]);
    let before = (shelf.rev, shelf.digest, shelf.show());
    shelf.push(2, &["put A 1", "put A =x", "del C", "put D ^9"]);
    assert_eq!((shelf.rev, shelf.digest, shelf.show()), before);
    assert_eq!(shelf.devices[&2].acked_seq, 4);
    // A rev stamps every row whose content or form it changes, and no other.
    shelf.push(1, &["put C 2", "put A -1"]);
    let revs: Vec<u64> = shelf.rows.values().map(|(row, _)| row.rev.0).collect();
    assert_eq!(revs, [2, 2, 2]);
    shelf.push(1, &["put C =y"]);
    let revs: Vec<u64> = shelf.rows.values().map(|(row, _)| row.rev.0).collect();
    assert_eq!(revs, [2, 2, 3]);
}

#[test]
fn an_op_is_taken_once() {
    let mut shelf = Shelf::new();
    let ops = [shelf.op(1, "put A 1 =x"), shelf.op(2, "put B 1 ^9"), shelf.op(3, "del C")];
    let first = shelf.send(1, ops.to_vec()).unwrap();
    shelf.push(2, &["put A =y"]);
    let again = shelf.send(1, [ops.as_slice(), &[shelf.op(4, "put A =z ^1")]].concat()).unwrap();
    let statuses: Vec<Status> = again.iter().map(|result| result.status).collect();
    assert_eq!(statuses, [Status::Unchanged, Status::Rejected, Status::Unchanged, Status::Applied]);
    assert_eq!(again[1], first[1], "a rejection is repeated as it was");
    let (row, fields) = &shelf.rows[&contact('A')];
    assert_eq!(row.rev, Rev(3));
    assert_eq!(again[0].contact, Some(pulled(contact('A'), row, fields)), "the present row");
    assert_eq!(again[2].contact, None);
    // A push without the op proves that the answer arrived.
    assert_eq!(shelf.push(1, &["put A =w"]).len(), 1);
    let rest = [shelf.op(4, "put A =z"), shelf.op(5, "put A =w")];
    let late = shelf.send(1, [&ops[1..], &rest].concat()).unwrap();
    assert_eq!(late[0].status, Status::Unchanged);
    // A rejection is remembered once, however often its op comes.
    let rejected = shelf.op(6, "put B 1 ^9");
    for _ in 0..2 {
        shelf.send(1, vec![rejected.clone()]).unwrap();
        assert_eq!(shelf.devices[&1].rejections.len(), 1);
    }
}

/// A push died of its size, after its write or before: the next has fewer ops, and names the others.
#[test]
fn a_push_with_fewer_ops_names_those_behind_them() {
    #[track_caller]
    fn check(taken: usize, sent: std::ops::Range<usize>, named: &[&str], expected: Option<Status>) {
        let mut shelf = Shelf::new();
        let ops = ["put A 1", "put B 2", "put C 3 ^9", "put D 4"];
        let ops: Vec<PushedOp> = (1..).zip(ops).map(|(seq, op)| shelf.op(seq, op)).collect();
        shelf.send(1, ops[..taken].to_vec()).unwrap();
        let answer = shelf.send_of_more(1, ops[sent].to_vec(), named);
        assert_eq!(answer.as_ref().err(), expected.is_none().then_some(&PlanError::OpReused));
        assert_eq!(answer.ok().map(|results| results[0].status), expected);
        // Whatever was answered then, a rejection is told with its op.
        let all = shelf.send(1, ops).unwrap();
        assert_eq!(all[2].status, Status::Rejected);
        assert_eq!(shelf.show(), "A:1 B:2 D:4");
    }
    check(0, 0..2, &["op-3", "op-4"], Some(Status::Applied));
    check(2, 0..2, &["op-3", "op-4"], Some(Status::Unchanged));
    check(3, 0..2, &["op-3", "op-4"], Some(Status::Unchanged));
    check(4, 0..1, &["op-2", "op-3", "op-4"], Some(Status::Unchanged));
    check(4, 1..2, &["op-3", "op-4"], Some(Status::Unchanged));
    // Ops of other names are another phone's.
    check(4, 0..2, &[], None);
    check(4, 0..2, &["op-3"], None);
    check(4, 0..2, &["op-3", "mine"], None);
    check(3, 0..2, &["op-4"], None);
}

#[test]
fn a_push_without_ops_proves_no_answer() {
    let mut shelf = Shelf::new();
    let op = shelf.op(1, "put A 1 ^9");
    let first = shelf.send(1, vec![op.clone()]).unwrap();
    shelf.send(1, Vec::new()).unwrap();
    assert_eq!(shelf.send(1, vec![op]).unwrap(), first, "it was on its way before");
}

#[test]
fn everyone_who_has_a_shared_number_shows_it() {
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 @1", "put B 1,2 @2", "put C 1 @3"]);
    assert_eq!(shelf.show(), "A:1 B:2(1) C<A");
    shelf.share(1, true);
    assert_eq!((shelf.show().as_str(), shelf.rev), ("A:1 B:1,2 C:1", Rev(2)));
    shelf.share(1, true);
    assert_eq!(shelf.rev, Rev(2), "it was shared before");
    // A new one shows it too and has lost nothing; a delete takes nobody with it and frees nothing.
    let results = shelf.push(2, &["put D 1 @4"]);
    assert_eq!((results[0].status, results[0].lost.as_deref()), (Status::Applied, Some(&[][..])));
    shelf.push(1, &["del A"]);
    assert_eq!(shelf.show(), "A! B:1,2 C:1 D:1");
    // Unmarked, it is the oldest's again.
    shelf.share(1, false);
    assert_eq!(shelf.show(), "A! B:1,2 C<B D<B");
    // One that nobody claims moves the rev, since the next push goes by it.
    let rev = shelf.rev;
    shelf.share(9, true);
    assert_eq!(shelf.rev, rev.next());
    shelf.push(1, &["put E 9 @1", "put F 9 @2"]);
    assert_eq!(shelf.show(), "A! B:1,2 C<B D<B E:9 F:9");
}

#[test]
fn ops_have_no_gaps_and_are_this_phones() {
    #[track_caller]
    fn check(seqs: &[u64], expected: Option<PlanError>) {
        let mut shelf = Shelf::new();
        shelf.push(1, &["put A 1", "put B 2"]);
        let before = shelf.show();
        let ops = seqs.iter().map(|seq| shelf.op(*seq, "put C 3")).collect();
        let answer = shelf.send(1, ops);
        assert_eq!(answer.err(), expected, "{seqs:?}");
        assert!(expected.is_none() || shelf.show() == before);
    }
    check(&[], None);
    check(&[3], None);
    check(&[1, 2, 3], None);
    check(&[2, 3, 4], None);
    let gap = Some(PlanError::OpGap { expected: 3 });
    check(&[4], gap);
    check(&[3, 5], gap);
    check(&[3, 3], gap);
    check(&[3, 2], gap);
    // The op at 2 is not among them: another phone has sent it.
    check(&[1], Some(PlanError::OpReused));
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1", "put B 2"]);
    let mut copy = vec![shelf.op(1, "put A 1"), shelf.op(2, "put C 3"), shelf.op(3, "put D 4")];
    copy[1].op_id = "mine".parse().unwrap();
    assert_eq!(shelf.send(1, copy).unwrap_err(), PlanError::OpReused);
    assert_eq!(shelf.show(), "A:1 B:2");
}

#[test]
fn many_deletes_want_to_be_confirmed() {
    /// A book of so many contacts (letters repeat over ids by number), and deletes of some of them.
    struct Book(Shelf);
    impl Book {
        fn of(count: u32) -> Self {
            let mut shelf = Shelf::new();
            let ops = (1..=count).map(|n| Self::op(&shelf, n.into(), n, Kind::Put)).collect();
            shelf.send(1, ops).unwrap();
            Self(shelf)
        }

        fn op(shelf: &Shelf, op_seq: u64, n: u32, kind: Kind) -> PushedOp {
            let mut op = shelf.op(op_seq, if kind == Kind::Put { "put A" } else { "del A" });
            let id = ContactId::new(at(i64::from(n)), [1; 10]);
            let read = op.op.as_mut().unwrap();
            (op.target, read.id, read.base_rev) = (Some(crate::Target { id, kind }), id, shelf.rev);
            if !shelf.rows.contains_key(&id) {
                read.base_rev = Rev(0);
            }
            op
        }

        /// Deletes these in one push; whether they were refused, all of them or none.
        fn delete(&mut self, by: u8, which: std::ops::RangeInclusive<u32>, confirm: bool) -> bool {
            let acked = self.0.devices[&by].acked_seq;
            let ops = (acked + 1..).zip(which);
            let ops = ops.map(|(seq, n)| Self::op(&self.0, seq, n, Kind::Delete)).collect();
            let push = Push {
                epoch: None,
                region: "US".parse().unwrap(),
                sent_at: at(1_000),
                complete: None,
                confirm_deletes: confirm,
                ops,
                also_sent: Vec::new(),
            };
            let plan = plan(&self.0.facts(by), &push, at(1_000)).unwrap();
            let results = self.0.apply(by, plan);
            let refused = |result: &OpResult| {
                let code = result.rejection.as_ref().map(|rejection| rejection.code);
                code == Some(crate::RejectionCode::TooManyDeletes)
            };
            assert!(results.iter().all(|result| refused(result) == refused(&results[0])));
            refused(&results[0])
        }
    }

    assert!(!Book::of(20).delete(1, 1..=20, false), "20 are few, be they all");
    assert!(Book::of(21).delete(1, 1..=21, false));
    assert!(!Book::of(21).delete(1, 1..=21, true));
    assert!(!Book::of(100).delete(1, 1..=25, false), "a quarter");
    assert!(Book::of(100).delete(1, 1..=26, false));
    // What the device has deleted in the last day counts with it; what another has does not.
    let mut book = Book::of(100);
    assert!(!book.delete(1, 1..=20, false));
    assert!(book.delete(1, 21..=21, false), "21 of the 80 that are left");
    assert!(!book.delete(2, 21..=40, false));
    // What is deleted already does no harm, and is not refused.
    assert!(!book.delete(1, 1..=40, false));
    let mut book = Book::of(21);
    assert!(!book.delete(1, 1..=21, true));
    assert!(!book.delete(1, 1..=21, false), "however many the device has deleted");
    // Nor does what an edit keeps or the push puts again count.
    let mut book = Book::of(30);
    let mut ops: Vec<PushedOp> =
        (31..=60).map(|seq| Book::op(&book.0, seq, seq as u32 - 30, Kind::Delete)).collect();
    ops.extend((61..=70).map(|seq| Book::op(&book.0, seq, seq as u32 - 60, Kind::Put)));
    let results = book.0.send(1, ops).unwrap();
    assert!(results.iter().all(|result| result.rejection.is_none()));
}

#[test]
fn a_floor_moves_only_when_all_is_told() {
    let shelf = Shelf::new();
    let mut facts = shelf.facts(1);
    facts.device.floor = None;
    let ops = vec![shelf.op(1, "put A 1 @1")];
    let push = Push {
        epoch: None,
        region: "US".parse().unwrap(),
        sent_at: at(5),
        complete: Some(at(4)),
        confirm_deletes: false,
        ops,
        also_sent: Vec::new(),
    };
    let first = plan(&facts, &push, at(5)).unwrap();
    assert_eq!(first.changes.edited[0].1.created_at, at(5), "no complete push before: now");
    assert_eq!(first.device.floor, Some(at(4)));
    facts.device = first.device;
    let push = Push { ops: vec![shelf.op(2, "put B 2 @1")], complete: None, ..push };
    let second = plan(&facts, &push, at(6)).unwrap();
    assert_eq!(second.changes.edited[0].1.created_at, at(4), "would have been told then");
    assert_eq!(second.device.floor, Some(at(4)));
    // The server's clock runs back: it does not go behind the floor.
    let third = plan(&facts, &push, at(1)).unwrap();
    assert_eq!(third.changes.edited[0].1.created_at, at(4));
    assert_eq!(third.changes.clock, at(4));
}

#[test]
fn a_plan_stops_where_memory_ends() {
    let mut shelf = Shelf::new();
    let note = "x".repeat(60_000);
    let big = |shelf: &Shelf, seq: u64| {
        let letter = char::from(b'A' + u8::try_from(seq).unwrap());
        let mut op = shelf.op(seq, &format!("put {letter}"));
        let edit = crate::Edit {
            set: crate::Set { note: Some(Some(note.parse().unwrap())), ..Default::default() },
            ..Default::default()
        };
        op.op = Ok(crate::Op {
            id: contact(letter),
            base_rev: Rev(0),
            change: crate::Change::Put { created_at: None, edit: Box::new(edit) },
        });
        op
    };
    let ops: Vec<PushedOp> = (1..=20).map(|seq| big(&shelf, seq)).collect();
    let results = shelf.send(1, ops.clone()).unwrap();
    assert_eq!(results.len(), 17);
    assert_eq!(shelf.devices[&1].acked_seq, 17);
    let results = shelf.send(1, ops).unwrap();
    assert_eq!(results.len(), 20);
    // Fields that were not read end a plan too, and a complete push that is cut moves no floor.
    let mut facts = shelf.facts(2);
    facts.held.fields.remove(&contact('C'));
    facts.device.floor = None;
    let ops = vec![shelf.op(1, "put B 1"), shelf.op(2, "put C 1"), shelf.op(3, "put D 1")];
    let region = "US".parse().unwrap();
    let push = Push {
        epoch: None,
        region,
        sent_at: at(0),
        complete: Some(at(0)),
        confirm_deletes: false,
        ops,
        also_sent: Vec::new(),
    };
    let cut = plan(&facts, &push, at(0)).unwrap();
    assert_eq!((cut.results.len(), cut.device.acked_seq, cut.device.floor), (1, 1, None));
}

#[test]
fn a_phone_pulls_only_numbers_that_a_contact_owns() {
    let mut shelf = Shelf::new();
    shelf.push(1, &["put A 1 @1", "put B 1,2 @2 =Bob"]);
    let (row, fields) = &shelf.rows[&contact('B')];
    let Form::Visible(shown) = pulled(contact('B'), row, fields).form else { panic!() };
    let keys: Vec<_> = shown.fields.phones.iter().map(|phone| phone.key).collect();
    assert_eq!(keys, [number_key(&number(2), "US")]);
    assert_eq!(shown.fields.name, fields.name);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Puts of different contacts, in any order and cut into pushes anywhere, make one book.
        /// `Shelf::apply` checks it against the naive model after each.
        #[test]
        fn the_order_of_arrival_does_not_matter(
            contacts in prop::collection::vec((0i64..4, prop::collection::btree_set(0u32..4, 0..3)), 1..8),
            order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
            cut in 1usize..4,
        ) {
            let ops: Vec<String> = contacts.iter().zip('A'..).map(|((age, numbers), letter)| {
                let numbers: Vec<String> = numbers.iter().map(|n| n.to_string()).collect();
                format!("put {letter} @{age} {}", numbers.join(",")).trim_end().to_owned()
            }).collect();
            let book = |ops: &[&str]| {
                let mut shelf = Shelf::new();
                ops.chunks(cut).zip((1..=3).cycle()).for_each(|(ops, by)| { shelf.push(by, ops); });
                shelf.rows.iter().map(|(id, (row, _))| (*id, row.asleep.clone())).collect::<Vec<_>>()
            };
            let straight: Vec<&str> = ops.iter().map(String::as_str).collect();
            let shuffled: Vec<&str> = order.iter().filter_map(|i| ops.get(*i)).map(String::as_str).collect();
            prop_assert_eq!(book(&straight), book(&shuffled));
        }

        /// Any puts and deletes leave a book that equals its recomputation.
        #[test]
        fn any_ops_leave_a_sound_book(
            ops in prop::collection::vec((1u8..=3, 0u8..5, 0u32..4, 0u8..6), 1..40),
        ) {
            let mut shelf = Shelf::new();
            for (by, contact, number, what) in ops {
                let letter = char::from(b'A' + contact);
                let op = match what {
                    0 => format!("del {letter}"),
                    1 => format!("del {letter} ^0"),
                    2 => format!("put {letter} -{number}"),
                    3 => format!("put {letter} @{number} ={number}"),
                    _ => format!("put {letter} @{number} {number},{}", number + 1),
                };
                shelf.push(by, &[&op]);
            }
        }
    }
}

/// Tables by which numbers that differ in the last digit only are one, and 9 and above have no key.
const COARSE: Tables = Tables {
    version: "coarse",
    key: |text, region| {
        let tens = &text[..text.len() - 1];
        number_key(&format!("{tens}0"), region).filter(|_| text < "(415) 555-0090")
    },
};

#[test]
fn other_tables_give_the_owners_as_if_all_had_been_written_under_them() {
    #[track_caller]
    fn check(ops: &[&str], under_coarse: &str, back: &str) {
        for at_a_time in 1..=3 {
            let mut book = Shelf::new();
            book.push(1, ops);
            let before = book.clone();
            book.rekey(COARSE, at_a_time);
            assert_eq!(book.show(), under_coarse);
            assert!(book.rows.iter().all(|(id, (row, _))| row.edit == before.rows[id].0.edit));
            assert_eq!(book.history.len(), before.history.len(), "it is no edit");
            let rev = book.rev;
            book.rekey(COARSE, at_a_time);
            assert_eq!(book.rev, rev, "what has its keys is left alone");
            book.rekey(Tables::CURRENT, at_a_time);
            assert_eq!(book.show(), back);
        }
    }
    check(&["put A 11 @1", "put B 12 @2"], "A:10 B<A", "A:11 B:12");
    check(&["put A 11 @2", "put B 12 @1"], "A<B B:10", "A:11 B:12");
    check(&["put A 11 @1", "put B 12,31 @2"], "A:10 B:30(10)", "A:11 B:12,31");
    check(&["put A 11,12 @1", "put B 11 @2", "put C 21 @3"], "A:10 B<A C:20", "A:11,12 B<A C:21");
    // Without a key a contact hides behind nobody.
    check(&["put A 95 @1", "put B 95 @2"], "A: B:", "A:95 B<A");
    // A tombstone gets the keys that it has when it comes back.
    check(&["put A 11 @1", "put B 12 @2", "del A"], "A! B:10", "A! B:12");
}

#[test]
fn a_tombstone_comes_back_under_the_new_tables() {
    let mut book = Shelf::new();
    book.push(1, &["put A 11 @1", "put B 12 @2", "del A"]);
    book.rekey(COARSE, 1);
    book.push(1, &["put A =Ann"]);
    assert_eq!(book.show(), "A:10 B<A");
}
