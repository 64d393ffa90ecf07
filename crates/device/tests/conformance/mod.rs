//! What every [`Store`] does. Each implementation runs this suite.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use callbook_base::{ContactId, DeviceId, Line, Rev, Timestamp, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId, Direction, Seconds};
use callbook_contacts::wire::Shown;
use callbook_contacts::{Fields, Phone};
use callbook_device::provider::{Duplicate, Link, RawId, Unfit};
use callbook_device::{
    Aside, Change, Event, Gone, Happened, MOST_EVENTS, Mirrored, Query, Queued, State, Store,
    StoreChange, Why,
};

/// Runs the suite on stores that `open` makes, each of them empty.
pub(crate) fn conforms<S: Store>(open: impl Fn() -> S) {
    an_empty_store_is_that_of_a_new_phone(open());
    state_is_kept(open());
    contacts_are_found_in_the_order_of_ids(open());
    what_a_pass_has_not_seen_is_found(open());
    what_has_changed_is_found_until_a_pass_has_seen_it(open());
    contacts_are_found_by_what_they_say_now(open());
    ops_keep_their_order(open());
    changes_kept_aside_stay_until_they_are_done_with(open());
    calls_keep_their_order(open());
    pulled_calls_are_found_by_user(open());
    links_and_duplicates_are_kept(open());
    events_are_kept_in_order(open());
    changes_of_one_commit_act_in_order(open());
}

fn id(n: u8) -> ContactId {
    ContactId::new(Timestamp::from_millis(0), [n; 10])
}

fn contact(rev: u64, pass: u64) -> Mirrored {
    let at = Timestamp::from_millis(5);
    let updated_by = UserId::new(at, [1; 10]);
    let fields = Fields { name: Some(rev.to_string().parse().unwrap()), ..Fields::default() };
    let shown = Shown { created_at: at, updated_at: at, updated_by, fields };
    Mirrored { rev: Rev(rev), pass, shown: Arc::new(shown) }
}

fn gone(rev: u64, pass: u64) -> Gone {
    Gone { rev: Rev(rev), pass }
}

fn op(place: u64) -> Queued {
    let op_id = format!("op-{place}").parse().unwrap();
    Queued { place, op_id, id: id(1), base_rev: Rev(0), change: Change::Delete, acked: None }
}

fn call(n: i64) -> Call {
    Call {
        phone_number: "1".parse().unwrap(),
        timestamp: Timestamp::from_millis(n),
        duration: Seconds(1),
        direction: Direction::Missed,
        line: None,
    }
}

fn an_empty_store_is_that_of_a_new_phone(store: impl Store) {
    assert_eq!(store.state().unwrap(), State::default());
    assert_eq!(store.next_contact(Bound::Unbounded).unwrap(), None);
    assert_eq!((store.outbox().unwrap(), store.aside().unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(store.calls_to_push(0, 9).unwrap(), Vec::new());
}

fn state_is_kept(mut store: impl Store) {
    let state = State { pass: 3, cursor: Some("c".into()), next_place: 7, ..State::default() };
    store.commit(vec![StoreChange::State(Box::new(state.clone()))]).unwrap();
    assert_eq!(store.state().unwrap(), state);
    store.commit(Vec::new()).unwrap();
    assert_eq!(store.state().unwrap(), state);
}

fn contacts_are_found_in_the_order_of_ids(mut store: impl Store) {
    let puts = [5, 1, 3].map(|n| StoreChange::PutContact(id(n), contact(u64::from(n), 0)));
    store.commit(puts.to_vec()).unwrap();
    let next = |from| store.next_contact(from).unwrap();
    assert_eq!(next(Bound::Unbounded), Some(id(1)));
    assert_eq!(next(Bound::Included(id(3))), Some(id(3)));
    assert_eq!(next(Bound::Excluded(id(3))), Some(id(5)));
    assert_eq!(next(Bound::Excluded(id(5))), None);
    assert_eq!(store.rev(id(3)).unwrap(), Some(Rev(3)));
    assert_eq!(store.rev(id(4)).unwrap(), None);
    store.commit(vec![StoreChange::PutContact(id(3), contact(9, 1))]).unwrap();
    assert_eq!(store.contact(id(3)).unwrap(), Some(contact(9, 1)));
    store
        .commit(vec![
            StoreChange::RemoveContact(id(3), gone(9, 0)),
            StoreChange::RemoveContact(id(8), gone(9, 0)),
        ])
        .unwrap();
    assert_eq!(store.contact(id(3)).unwrap(), None);
}

fn what_a_pass_has_not_seen_is_found(mut store: impl Store) {
    let puts =
        [(1, 0), (2, 1), (3, 2)].map(|(n, pass)| StoreChange::PutContact(id(n), contact(7, pass)));
    store.commit(puts.to_vec()).unwrap();
    assert_eq!(store.not_seen_in(2).unwrap(), [(id(1), Rev(7)), (id(2), Rev(7))]);
    assert_eq!(store.not_seen_in(0).unwrap(), []);
}

fn what_has_changed_is_found_until_a_pass_has_seen_it(mut store: impl Store) {
    let put = |n, rev, pass| StoreChange::PutContact(id(n), contact(rev, pass));
    let remove = |n, rev, pass| StoreChange::RemoveContact(id(n), gone(rev, pass));
    let changes = vec![put(1, 7, 0), put(2, 8, 0), remove(3, 7, 0), remove(4, 8, 0)];
    store.commit(changes).unwrap();
    #[track_caller]
    fn check(store: &impl Store, (rev, pass): (u64, u64), changed: &[u8]) {
        let mut found = store.changed_after(Rev(rev), pass, 9).unwrap();
        found.sort();
        assert_eq!(found, changed.iter().map(|n| id(*n)).collect::<Vec<_>>());
    }
    check(&store, (7, 1), &[2, 4]);
    check(&store, (6, 1), &[1, 2, 3, 4]);
    check(&store, (6, 0), &[]);
    for limit in 0..5 {
        assert_eq!(store.changed_after(Rev(0), 1, limit).unwrap().len(), limit.min(4));
    }
    // Seen now; gone now; there again, as it was before; gone once more.
    store.commit(vec![put(1, 9, 1), remove(2, 9, 1), put(3, 5, 1), remove(4, 9, 1)]).unwrap();
    check(&store, (6, 1), &[]);
    check(&store, (6, 2), &[1, 2, 4]);
}

fn contacts_are_found_by_what_they_say_now(mut store: impl Store) {
    let put = |n: u8, name: &str, number: &str| {
        let mut contact = contact(u64::from(n), 0);
        let shown = Arc::make_mut(&mut contact.shown);
        shown.fields.name = Some(name.parse().unwrap());
        let key = callbook_dedup::number_key(number, "US");
        let number = number.parse().unwrap();
        let phone = Phone {
            number,
            region: Line::default(),
            key,
            r#type: None,
            label: None,
            primary: false,
        };
        shown.fields.phones = vec![phone];
        StoreChange::PutContact(id(n), contact)
    };
    let puts = [put(1, "Ann Lee", "(415) 555-2671"), put(2, "Bob", "555"), put(3, "Anna", "5")];
    store.commit(puts.to_vec()).unwrap();
    #[track_caller]
    fn check(store: &impl Store, query: &str, from: Bound<ContactId>, limit: usize, found: &[u8]) {
        let found: Vec<_> = found.iter().map(|n| id(*n)).collect();
        assert_eq!(store.find(&Query::new(query), from, limit).unwrap(), found, "{query}");
    }
    let all = Bound::Unbounded;
    check(&store, "", all, 9, &[1, 2, 3]);
    check(&store, "", all, 2, &[1, 2]);
    check(&store, "ANN", all, 9, &[1, 3]);
    check(&store, "ann", Bound::Included(id(1)), 1, &[1]);
    check(&store, "ann", Bound::Excluded(id(1)), 9, &[3]);
    check(&store, "lee ann", all, 9, &[1]);
    check(&store, "555-2671 ann", all, 9, &[1]);
    check(&store, "+1 415", all, 9, &[1]);
    check(&store, "5", all, 9, &[1, 2, 3]);
    check(&store, "%", all, 9, &[]);
    store.commit(vec![put(1, "Cy", "7"), StoreChange::RemoveContact(id(3), gone(9, 0))]).unwrap();
    check(&store, "ann", all, 9, &[]);
    check(&store, "cy", all, 9, &[1]);
}

fn ops_keep_their_order(mut store: impl Store) {
    store.commit([10, 9, 2].map(|place| StoreChange::PutOp(op(place))).to_vec()).unwrap();
    let acked = Queued { acked: Some(Rev(4)), ..op(9) };
    store.commit(vec![StoreChange::PutOp(acked.clone()), StoreChange::RemoveOp(2)]).unwrap();
    assert_eq!(store.outbox().unwrap(), [acked, op(10)]);
}

fn changes_kept_aside_stay_until_they_are_done_with(mut store: impl Store) {
    let aside = |place| {
        let Queued { id, change, .. } = op(place);
        Aside { place, id, change, why: Why::TooLarge }
    };
    store.commit([10, 9, 2].map(|place| StoreChange::PutAside(aside(place))).to_vec()).unwrap();
    store.commit(vec![StoreChange::RemoveAside(9), StoreChange::RemoveAside(7)]).unwrap();
    assert_eq!(store.aside().unwrap(), [aside(2), aside(10)]);
}

fn calls_keep_their_order(mut store: impl Store) {
    let puts = [10, 9, 2].map(|n| StoreChange::PutCallToPush(n, call(n as i64)));
    store.commit(puts.to_vec()).unwrap();
    assert_eq!(store.calls_to_push(0, 2).unwrap(), [(2, call(2)), (9, call(9))]);
    assert_eq!(store.calls_to_push(3, 1).unwrap(), [(9, call(9))]);
    store.commit(vec![StoreChange::RemoveCallToPush(2)]).unwrap();
    assert_eq!(store.calls_to_push(0, 9).unwrap(), [(9, call(9)), (10, call(10))]);
}

fn pulled_calls_are_found_by_user(mut store: impl Store) {
    let user = |n: u8| UserId::new(Timestamp::from_millis(5), [n; 10]);
    let pulled = |n: u8, call: Call| PulledCall {
        id: CallId::of(user(n), &call),
        rev: Rev(1),
        user: user(n),
        device: DeviceId::new(Timestamp::from_millis(5), [n; 10]),
        key: None,
        call,
    };
    let puts = [(1, 7), (2, 8), (1, 9)].map(|(n, at)| StoreChange::PutCall(pulled(n, call(at))));
    store.commit(puts.to_vec()).unwrap();
    let times = |store: &dyn Fn(UserId) -> Vec<PulledCall>, n| {
        let calls = store(user(n));
        calls.iter().map(|row| row.call.timestamp.as_millis()).collect::<BTreeSet<_>>()
    };
    assert_eq!(times(&|user| store.calls_of(user).unwrap(), 1), [7, 9].into());
    assert_eq!(times(&|user| store.calls_of(user).unwrap(), 3), [].into());
    store.commit(vec![StoreChange::RemoveCalls, StoreChange::PutCall(pulled(1, call(4)))]).unwrap();
    assert_eq!(times(&|user| store.calls_of(user).unwrap(), 1), [4].into());
    assert_eq!(times(&|user| store.calls_of(user).unwrap(), 2), [].into());
    let has = |n, at| store.has_call(CallId::of(user(n), &call(at))).unwrap();
    assert_eq!((has(1, 4), has(1, 7), has(2, 4)), (true, false, false));
}

fn links_and_duplicates_are_kept(mut store: impl Store) {
    let link = |raw, id, unfit| Link {
        raw: RawId(raw),
        id,
        own: raw > 1,
        version: 4,
        has: Arc::new(contact(3, 0).shown.fields.clone()),
        rev: id.map(|_| Rev(2)),
        unfit,
    };
    let links = [link(1, None, Some(Unfit::Nul)), link(2, Some(id(1)), None), link(9, None, None)];
    let duplicate = |n| Duplicate {
        id: id(n),
        owner: id(9),
        at: Timestamp::from_millis(7),
        had: Arc::new(contact(u64::from(n), 0).shown.fields.clone()),
        rows: (n == 2).then(Vec::new),
        is_over: n == 2,
    };
    let puts = links.iter().cloned().map(StoreChange::PutLink);
    let duplicates = [1, 2].map(|n| StoreChange::PutDuplicate(duplicate(n)));
    store.commit(puts.chain(duplicates).collect()).unwrap();
    let kept = |store: &dyn Fn() -> Vec<Link>| {
        let mut links = store();
        links.sort_by_key(|link| link.raw);
        links
    };
    assert_eq!(kept(&|| store.links().unwrap()), links);
    let changed = Link { version: 5, unfit: None, ..links[0].clone() };
    let changes = vec![
        StoreChange::PutLink(changed.clone()),
        StoreChange::RemoveLink(RawId(2)),
        StoreChange::RemoveLink(RawId(7)),
        StoreChange::RemoveDuplicate(id(1)),
        StoreChange::PutDuplicate(Duplicate { owner: id(8), ..duplicate(2) }),
    ];
    store.commit(changes).unwrap();
    assert_eq!(kept(&|| store.links().unwrap()), [changed, links[2].clone()]);
    assert_eq!(store.duplicates().unwrap(), [Duplicate { owner: id(8), ..duplicate(2) }]);
}

fn events_are_kept_in_order(mut store: impl Store) {
    let event = |n: i64, what| Event { at: Timestamp::from_millis(n), what };
    let (all, failing) = (Happened::PullsAll, Happened::Failing);
    store.commit(vec![StoreChange::PutEvent(event(9, all.clone()))]).unwrap();
    let many = (0..MOST_EVENTS as i64).map(|n| StoreChange::PutEvent(event(n, failing.clone())));
    store.commit(many.take(MOST_EVENTS - 1).collect()).unwrap();
    assert_eq!(store.events().unwrap()[..2], [event(9, all), event(0, failing.clone())]);
    store.commit(vec![StoreChange::PutEvent(event(5, Happened::SignedIn))]).unwrap();
    let events = store.events().unwrap();
    assert_eq!((events.len(), &events[0]), (MOST_EVENTS, &event(0, failing)));
    assert_eq!(events.last(), Some(&event(5, Happened::SignedIn)));
}

fn changes_of_one_commit_act_in_order(mut store: impl Store) {
    let changes = vec![
        StoreChange::PutContact(id(1), contact(1, 0)),
        StoreChange::RemoveContact(id(1), gone(9, 0)),
        StoreChange::RemoveContact(id(2), gone(9, 0)),
        StoreChange::PutContact(id(2), contact(2, 0)),
    ];
    store.commit(changes).unwrap();
    assert_eq!((store.rev(id(1)).unwrap(), store.rev(id(2)).unwrap()), (None, Some(Rev(2))));
}
