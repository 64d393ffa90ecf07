//! The phone's own contacts, on a fake provider.

mod random;
mod regions;

use super::*;
use crate::Pass;
use crate::provider::fake::{Columns, Fake, Table, Uri};
use crate::provider::{
    Account, Ask, Given, Labels, Of, Operation, RawContact, RawId, Unfit, as_read, read, rows,
};
use crate::settings::{Follow, Private, Settings};

const NAME: &str = "vnd.android.cursor.item/name";
const PHONE: &str = "vnd.android.cursor.item/phone_v2";
const NOTE: &str = "vnd.android.cursor.item/note";
const PHOTO: &str = "vnd.android.cursor.item/photo";
const MEMBERSHIP: &str = "vnd.android.cursor.item/group_membership";

fn own() -> Account {
    Account { name: "ann".into(), r#type: "org.callbook".into() }
}

fn google() -> Account {
    Account { name: "ann@x.org".into(), r#type: "com.google".into() }
}

/// A phone with contacts.
struct Phone {
    bench: Bench,
    fake: Fake,
}

impl Phone {
    /// Signed in and in step with an empty book.
    fn new() -> Self {
        let mut phone = Self { bench: Bench::synced(), fake: Fake::default() };
        phone
            .bench
            .engine
            .set_settings(Settings { account: Some(own()), ..Settings::default() })
            .unwrap();
        phone
    }

    fn ask(&mut self, pass: &mut Pass, given: Given) -> Ask {
        self.bench.engine.phone(pass, given, self.bench.now, &mut self.bench.chance).unwrap()
    }

    /// One pass over the phone's contacts; what was asked.
    fn pass(&mut self) -> Vec<Ask> {
        self.pass_of(|given| given)
    }

    /// One of a driver that knows no groups.
    fn pass_without_labels(&mut self) -> Vec<Ask> {
        self.pass_of(|given| match given {
            Given::Heads { heads, .. } => Given::Heads { heads, groups: None },
            given => given,
        })
    }

    /// One of a driver that makes this of what the phone gives.
    fn pass_of(&mut self, driver: impl Fn(Given) -> Given) -> Vec<Ask> {
        let (mut pass, mut given, mut asked) = (Pass::default(), Given::Start, Vec::new());
        loop {
            let ask = self.ask(&mut pass, given);
            if ask == Ask::Done {
                return asked;
            }
            asked.push(ask.clone());
            assert!(asked.len() < 500, "no end");
            given = driver(self.fake.serve(ask));
        }
    }

    /// As a driver does it.
    fn sync(&mut self) {
        self.pass();
        self.bench.sync();
        self.pass();
    }

    /// One that shows Ann of the book, and has the first page of another pull.
    fn in_the_middle_of_a_pull() -> Self {
        let mut phone = Self::new();
        phone.others_name(id(1), "Ann");
        phone.settle();
        phone.bench.pull_a_page();
        phone
    }

    /// The power is lost between the writing of a contact and the note of it.
    fn forget(&mut self, name: &str) {
        let raw = self.raw(&own(), name);
        let mut store = self.bench.engine.store().clone();
        store.commit(vec![StoreChange::RemoveLink(raw)]).unwrap();
        self.bench.engine = Engine::open(store).unwrap();
    }

    /// Until there is nothing more to say.
    fn settle(&mut self) {
        for _ in 0..6 {
            self.sync();
        }
        assert!(self.bench.engine.status().unwrap().is_quiet());
    }

    /// Raw contacts of an account that are not deleted.
    fn of(&self, account: &Account) -> Vec<RawContact> {
        let heads = self.fake.heads().into_iter();
        let heads = heads.filter(|head| head.account.as_ref() == Some(account) && !head.deleted);
        let labels = Labels::of(&self.fake.groups(), Some(&own()));
        let contact = |head: crate::provider::Head| {
            let mut contact = self.fake.contact(head.raw).unwrap();
            labels.read(&mut contact);
            contact
        };
        heads.map(contact).collect()
    }

    /// An app puts a contact under a label.
    fn put_under(&mut self, raw: RawId, group: i64) {
        self.fake.add(raw, MEMBERSHIP, &[("data1", Some(&group.to_string()))]).unwrap();
    }

    /// The labels that the phone shows of a contact of Callbook's own account, and the book.
    fn labels(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let sorted = |fields: Fields| {
            let mut labels: Vec<_> = fields.groups.iter().map(ToString::to_string).collect();
            labels.sort();
            labels
        };
        let contact = self.of(&own()).into_iter().find(|contact| name_of(contact) == name).unwrap();
        let book = self.bench.fields(self.id(name)).unwrap();
        (sorted(read(&contact).unwrap()), sorted(book))
    }

    /// A pass that ends with a crash after so many answers, in the middle of a batch when it comes to one.
    fn part(&mut self, asks: usize, operations: usize) {
        let (mut pass, mut given) = (Pass::default(), Given::Start);
        for _ in 0..asks {
            match self.ask(&mut pass, given) {
                Ask::Done => return,
                ask => given = self.fake.serve(ask),
            }
        }
        if let Ask::Apply(batch) = self.ask(&mut pass, given) {
            self.fake.apply_first(&batch, operations);
        }
        self.bench.crash();
    }

    fn names(&self, account: &Account) -> Vec<String> {
        let names = self.of(account).into_iter().map(|contact| name_of(&contact));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    fn raw(&self, account: &Account, name: &str) -> RawId {
        self.of(account).into_iter().find(|it| name_of(it) == name).expect("it is there").head.raw
    }

    fn save(&mut self, account: &Account, name: &str, number: &str) -> RawId {
        let (name, number) =
            ([("data1", Some(name))], [("data1", Some(number)), ("data2", Some("2"))]);
        self.fake.save(Some(account), &[(NAME, &name), (PHONE, &number)])
    }

    /// The book's names.
    fn book(&self) -> Vec<String> {
        let rows = self.bench.book.iter().filter_map(|row| self.bench.fields(row.id));
        let mut names: Vec<_> = rows.map(|fields| fields.name.unwrap().to_string()).collect();
        names.sort();
        names
    }

    fn id(&self, name: &str) -> ContactId {
        let is = |row: &&Pulled| {
            self.bench
                .fields(row.id)
                .is_some_and(|it| it.name.is_some_and(|it| it.as_str() == name))
        };
        self.bench.book.iter().find(is).expect("it is there").id
    }

    /// Others change the book.
    fn others(&mut self, id: ContactId, change: impl FnOnce(&mut Fields)) {
        self.bench.rev += 1;
        let mut fields = self.bench.fields(id).unwrap_or_default();
        change(&mut fields);
        self.bench.put(id, fields);
    }

    fn others_name(&mut self, id: ContactId, name: &str) {
        self.others(id, |fields| fields.name = Some(name.parse().unwrap()));
    }

    fn others_drop(&mut self, id: ContactId, form: Form) {
        self.bench.rev += 1;
        self.bench.put_form(id, form);
    }

    /// The phone shows the book, each contact once, and nothing is left to be told.
    #[track_caller]
    fn is_in_step(&self) {
        let mut contacts = self.of(&own());
        assert!(contacts.iter().all(|it| !it.head.dirty), "all is taken");
        for row in &self.bench.book {
            let Some(fields) = self.bench.fields(row.id) else { continue };
            let id = row.id.to_string();
            let at = contacts.iter().position(|it| it.head.source_id.as_ref() == Some(&id));
            let contact = contacts.remove(at.expect("the phone has each contact"));
            // Android makes a name of its parts where the book has no other.
            let name = fields.name.clone().or_else(|| as_read(&fields).name);
            let fields = Fields { name, ..fields };
            assert_eq!(rows(Of::Raw(contact.head.raw), &contact.rows, &fields), []);
            assert_eq!(contact.head.starred, fields.starred);
        }
        assert_eq!(
            contacts.iter().map(name_of).collect::<Vec<_>>(),
            Vec::<String>::new(),
            "and no other"
        );
        assert!(self.fake.heads().iter().all(|it| it.account != Some(own()) || !it.deleted));
    }
}

fn name_of(contact: &RawContact) -> String {
    read(contact)
        .ok()
        .and_then(|fields| fields.name)
        .map(|name| name.to_string())
        .unwrap_or_default()
}

#[test]
fn a_name_in_parts_alone_is_shown_as_android_makes_it() {
    let mut phone = Phone::new();
    let id = ContactId::new(Timestamp::from_millis(1), [9; 10]);
    phone.others_name(id, "Ann Lee");
    phone.settle();
    let parts =
        callbook_contacts::NameParts { given: Some("Bo".parse().unwrap()), ..Default::default() };
    phone.others(id, |it| (it.name, it.name_parts) = (None, Some(Box::new(parts.clone()))));
    phone.settle();
    phone.is_in_step();
    assert_eq!(phone.names(&own()), ["Bo"]);
    assert_eq!(phone.bench.fields(id).unwrap().name, None, "nobody has typed it");
}

#[test]
fn a_contact_that_is_saved_on_the_phone_is_in_the_book_and_stays_one() {
    let mut phone = Phone::new();
    phone.save(&own(), "Ann Lee", "(415) 555-2671");
    phone.settle();
    assert_eq!(
        (phone.book(), phone.names(&own())),
        (vec!["Ann Lee".into()], vec!["Ann Lee".into()])
    );
    assert_eq!(
        phone.bench.fields(phone.id("Ann Lee")).unwrap().phones[0].r#type,
        Some("mobile".parse().unwrap())
    );
    phone.is_in_step();
    // Android has taken the name apart; that is nobody's doing.
    let pushes = |phone: &Phone| phone.bench.log.iter().filter(|line| line.contains(" 2")).count();
    assert_eq!(pushes(&phone), 0);
    phone.fake.write(phone.raw(&own(), "Ann Lee"), NOTE, &[("data1", Some("hi"))]);
    phone.settle();
    let fields = phone.bench.fields(phone.id("Ann Lee")).unwrap();
    assert_eq!(fields.note.unwrap().as_str(), "hi");
    phone.is_in_step();
}

#[test]
fn what_others_do_comes_to_the_phone() {
    let mut phone = Phone::new();
    phone.others_name(id(1), "Ann");
    phone.others_name(id(2), "Bob");
    phone.settle();
    assert_eq!(phone.names(&own()), ["Ann", "Bob"]);
    phone.others(id(1), |fields| fields.starred = true);
    phone.others_drop(id(2), Form::Deleted);
    phone.settle();
    assert_eq!(phone.names(&own()), ["Ann"]);
    phone.is_in_step();
    assert!(phone.of(&own())[0].head.starred);
    assert_eq!(phone.bench.engine.duplicates().count(), 0);
}

#[test]
fn a_quiet_pass_reads_the_heads_and_writes_nothing() {
    let mut phone = Phone::new();
    phone.save(&google(), "Ann", "1");
    phone.others_name(id(2), "Bob");
    phone.settle();
    let before = format!("{:?}", phone.bench.engine.store());
    assert_eq!(phone.pass(), [Ask::Heads]);
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before);
}

/// It was taken that labels may be others then, and all contacts were read again.
#[test]
fn a_pass_in_the_middle_of_a_pull_reads_the_heads_only() {
    let mut phone = Phone::in_the_middle_of_a_pull();
    for _ in 0..2 {
        assert_eq!(phone.pass(), [Ask::Heads]);
    }
}

#[test]
fn contacts_of_other_accounts_follow_and_are_never_written() {
    #[track_caller]
    fn check(follow: Follow, book: &[&str]) {
        let mut phone = Phone::new();
        phone
            .bench
            .engine
            .set_settings(Settings { account: Some(own()), follow, ..Settings::default() })
            .unwrap();
        phone.save(&google(), "Ann", "(415) 555-2671");
        phone.fake.save(None, &[(NAME, &[("data1", Some("Sim"))])]);
        phone.save(&Account { name: "other".into(), ..own() }, "Another book's", "5");
        phone.save(&own(), "Own", "6");
        let foreign = |phone: &Phone| {
            let heads = phone.fake.heads().into_iter().filter(|head| head.account != Some(own()));
            heads.map(|head| phone.fake.contact(head.raw).unwrap()).collect::<Vec<_>>()
        };
        let before = foreign(&phone);
        phone.settle();
        assert_eq!(phone.book(), book);
        assert_eq!(foreign(&phone), before);
        phone.is_in_step();
        for name in book {
            phone.others_drop(phone.id(name), Form::Deleted);
        }
        phone.settle();
        assert_eq!(foreign(&phone), before, "not even when others delete them");
    }
    check(Follow::All, &["Ann", "Own", "Sim"]);
    check(Follow::None, &["Own"]);
    check(Follow::Chosen(vec![Some(google())]), &["Ann", "Own"]);
    check(Follow::Chosen(vec![None]), &["Own", "Sim"]);
}

#[test]
fn contacts_of_other_accounts_are_edited_and_not_deleted() {
    let mut phone = Phone::new();
    let raw = phone.save(&google(), "Ann", "(415) 555-2671");
    phone.settle();
    phone.fake.write(raw, NAME, &[("data1", Some("Anna"))]);
    phone.settle();
    assert_eq!(phone.book(), ["Anna"]);
    phone.is_in_step();
    // A contact that others have deleted is revived by an edit, whole.
    phone.others_drop(phone.id("Anna"), Form::Deleted);
    phone.settle();
    assert_eq!(phone.names(&own()), Vec::<String>::new());
    phone.fake.write(raw, NOTE, &[("data1", Some("hi"))]);
    phone.settle();
    assert_eq!(phone.bench.fields(phone.id("Anna")).unwrap().phones.len(), 1);
    phone.fake.remove(raw);
    phone.settle();
    assert_eq!((phone.book(), phone.names(&own())), (vec!["Anna".into()], vec!["Anna".into()]));
    phone.is_in_step();
}

#[test]
fn what_the_book_has_already_is_not_made_again() {
    let mut phone = Phone::new();
    phone.others(id(1), |fields| {
        fields.name = Some("Ann".parse().unwrap());
        fields.note = Some("more than the phone knows".parse().unwrap());
    });
    phone.bench.sync();
    phone.fake.save(Some(&google()), &[(NAME, &[("data1", Some("Ann"))])]);
    phone.settle();
    assert_eq!(phone.book(), ["Ann"]);
    phone.is_in_step();
}

#[test]
fn deleting_says_what_its_user_saw() {
    let mut phone = Phone::new();
    phone.others_name(id(1), "Ann");
    phone.settle();
    let seen = phone.bench.rev;
    // Others edit it, and the phone has pulled that and not shown it yet.
    phone.others_name(id(1), "Anna");
    phone.bench.sync();
    phone.fake.remove(phone.raw(&own(), "Ann"));
    phone.pass();
    let request = phone.bench.until("/sync/contacts");
    let body: Value = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
    assert_eq!(
        (&body["ops"][0]["op"], &body["ops"][0]["base_rev"]),
        (&json!("delete"), &json!(seen))
    );
    phone.settle();
    assert_eq!((phone.book().len(), phone.fake.heads().len()), (0, 0));
}

#[test]
fn only_a_deletion_deletes() {
    #[track_caller]
    fn check(what: impl Fn(&mut Phone)) {
        let mut phone = Phone::new();
        for n in 1..5 {
            phone.others_name(id(n), &format!("Name {n}"));
        }
        phone.save(&own(), "Own", "5");
        phone.settle();
        let book = phone.book();
        what(&mut phone);
        phone.settle();
        assert_eq!(phone.book(), book);
        phone.is_in_step();
    }
    check(|phone| phone.fake.lose(&own()));
    check(|phone| phone.fake = Fake::default());
    check(|phone| phone.fake.renumber(1_000));
    check(|phone| {
        // The app's data was cleared; the provider still has all.
        let mut bench =
            Bench { book: phone.bench.book.clone(), rev: phone.bench.rev, ..Bench::new() };
        bench.acked = 0;
        bench
            .engine
            .set_settings(Settings { account: Some(own()), ..Settings::default() })
            .unwrap();
        bench.type_password();
        phone.bench = bench;
    });
    check(|phone| {
        // And has edits that nobody has pushed.
        let raw = phone.raw(&own(), "Name 1");
        phone.fake.write(raw, NOTE, &[("data1", Some("hi"))]);
        let mut bench =
            Bench { book: phone.bench.book.clone(), rev: phone.bench.rev, ..Bench::new() };
        bench
            .engine
            .set_settings(Settings { account: Some(own()), ..Settings::default() })
            .unwrap();
        bench.type_password();
        phone.bench = bench;
        phone.settle();
        assert_eq!(phone.bench.fields(id(1)).unwrap().note.unwrap().as_str(), "hi");
    });
}

#[test]
fn a_duplicate_is_removed_shown_and_brought_back() {
    let mut phone = Phone::new();
    let raw = phone.save(&own(), "Younger", "(415) 555-2671");
    phone.bench.engine.set_region("US".parse().unwrap()).unwrap();
    phone.settle();
    let (younger, older) = (phone.id("Younger"), id(1));
    let fields = phone.bench.fields(younger).unwrap();
    phone.others(older, |it| {
        *it = Fields { name: Some("Older".parse().unwrap()), ..fields.clone() }
    });
    phone.others_drop(younger, Form::Hidden { owner: older });
    phone.settle();
    assert_eq!(phone.names(&own()), ["Older"]);
    assert!(phone.fake.contact(raw).is_none());
    let shown: Vec<_> = phone.bench.engine.duplicates().cloned().collect();
    assert_eq!((shown[0].id, shown[0].owner, shown[0].at), (younger, older, phone.bench.now));
    assert_eq!(shown[0].had.name.as_ref().unwrap().as_str(), "Younger");
    phone.bench.crash();
    assert_eq!(phone.bench.engine.duplicates().cloned().collect::<Vec<_>>(), shown);
    assert_eq!(phone.bench.engine.status().unwrap().duplicates, 1);

    phone.bench.engine.undo_duplicate(younger).unwrap();
    let request = phone.bench.until("/numbers");
    assert_eq!(request.path, "/numbers/%2B14155552671");
    phone.bench.receive(Ok(Response {
        status: 200,
        retry_after: None,
        body: br#"{"key":"+14155552671","shared":true,"rev":9}"#.to_vec(),
    }));
    phone.others(younger, |it| *it = fields);
    phone.settle();
    assert_eq!(phone.names(&own()), ["Older", "Younger"]);
    assert_eq!(phone.bench.engine.duplicates().count(), 0);
    phone.is_in_step();
}

#[test]
fn what_the_book_has_no_field_for_stays_on_the_phone() {
    let mut phone = Phone::new();
    let rows: &[(&str, Columns<'_>)] = &[
        (NAME, &[("data1", Some("Ann")), ("data7", Some("An"))]),
        (PHOTO, &[("data14", Some("3"))]),
        ("x.y/z", &[("data1", Some("5"))]),
        (
            "vnd.android.cursor.item/phone_v2",
            &[("data1", Some("5")), ("data4", Some("+15")), ("data2", Some("99"))],
        ),
    ];
    let raw = phone.fake.save(Some(&own()), rows);
    phone.settle();
    phone.others_name(phone.id("Ann"), "Anna");
    phone.others(phone.id("Anna"), |fields| fields.note = Some("hi".parse().unwrap()));
    phone.settle();
    phone.is_in_step();
    let contact = phone.fake.contact(raw).unwrap();
    let column = |mimetype: &str, n: usize| {
        let row = contact.rows.iter().find(|row| row.mimetype == mimetype).unwrap();
        row.data[n - 1].clone().unwrap_or_default()
    };
    assert_eq!(column(NAME, 1), "Anna");
    assert_eq!(column(NAME, 7), "An");
    assert_eq!(column(PHOTO, 14), "3");
    assert_eq!(column("x.y/z", 1), "5");
    assert_eq!((column(PHONE, 2), column(PHONE, 4)), ("99".into(), "+15".into()));
}

#[test]
fn an_edit_while_a_pull_is_applied_is_not_lost() {
    let mut phone = Phone::new();
    for n in 1..4 {
        phone.others_name(id(n), &format!("Name {n}"));
    }
    phone.settle();
    for n in 1..4 {
        phone.others(id(n), |fields| fields.note = Some("theirs".parse().unwrap()));
    }
    phone.bench.sync();
    let raw = phone.raw(&own(), "Name 2");
    let (mut pass, mut given) = (Pass::default(), Given::Start);
    loop {
        let ask = phone.ask(&mut pass, given);
        if let Ask::Apply(batch) = &ask
            && batch.operations.contains(&Operation::Expect { raw, version: 2 })
        {
            phone.fake.write(raw, NAME, &[("data1", Some("Mine"))]);
        }
        if ask == Ask::Done {
            break;
        }
        given = phone.fake.serve(ask);
    }
    phone.settle();
    let fields = phone.bench.fields(id(2)).unwrap();
    assert_eq!((fields.name.unwrap().as_str(), fields.note.unwrap().as_str()), ("Mine", "theirs"));
    phone.is_in_step();
}

#[test]
fn what_is_missing_of_a_contact_that_is_written_in_parts_was_not_removed_by_its_user() {
    // After so many answers of the pass that writes it, they type something into it.
    for asks in 0..12 {
        let mut phone = Phone::new();
        let theirs = phone.save(&google(), "Ann", "1");
        for number in ["2", "3", "4"] {
            phone.fake.add(theirs, PHONE, &[("data1", Some(number))]).unwrap();
        }
        phone.pass();
        phone.bench.sync();
        phone.fake.most_operations = Some(3);
        let (mut pass, mut given) = (Pass::default(), Given::Start);
        for n in 0.. {
            let own = phone.of(&own()).first().map(|contact| contact.head.raw);
            if let Some(own) = own.filter(|_| n == asks) {
                phone.fake.add(own, PHONE, &[("data1", Some("5"))]).unwrap();
            }
            match phone.ask(&mut pass, given) {
                Ask::Done => break,
                ask => given = phone.fake.serve(ask),
            }
        }
        phone.settle();
        let numbers = phone.bench.fields(phone.id("Ann")).unwrap().phones.len();
        assert!(numbers >= 4, "after {asks} answers: {numbers}");
        phone.is_in_step();
    }
}

#[test]
fn a_crash_while_a_plan_is_applied_heals_without_duplicates() {
    for is_contended in [false, true] {
        for operations in 0..24 {
            let mut phone = Phone::new();
            phone.fake.is_contended = is_contended;
            phone.others_name(id(1), "Old 1");
            phone.others_name(id(2), "Old 2");
            phone.settle();
            phone.save(&own(), "Mine", "5");
            for n in 1..6 {
                phone.others_name(id(n), &format!("New {n}"));
                phone.others(id(n), |fields| fields.note = Some("hi".parse().unwrap()));
            }
            phone.bench.sync();
            let (mut pass, mut given) = (Pass::default(), Given::Start);
            loop {
                match phone.ask(&mut pass, given) {
                    Ask::Apply(batch) => {
                        phone.fake.apply_first(&batch, operations);
                        break;
                    }
                    ask => given = phone.fake.serve(ask),
                }
            }
            phone.bench.crash();
            phone.settle();
            assert_eq!(phone.book(), ["Mine", "New 1", "New 2", "New 3", "New 4", "New 5"]);
            phone.is_in_step();
        }
    }
}

/// A batch takes a slow phone no longer than it does to be cancelled, and a fast one has few of them.
#[test]
fn a_batch_is_as_large_as_the_phone_is_fast() {
    /// How many operations the batches have of 250 contacts of two operations, when so many microseconds pass with each.
    #[track_caller]
    fn check(micros: impl Fn(usize) -> usize, sizes: &[usize], batches: usize) {
        let mut phone = Phone::new();
        for n in 0..250 {
            phone.others_name(id(n), &format!("Name {n}"));
        }
        phone.bench.sync();
        let (mut pass, mut given, mut seen) = (Pass::default(), Given::Start, Vec::new());
        loop {
            let ask = phone.ask(&mut pass, given);
            if let Ask::Apply(batch) = &ask {
                let took = batch.operations.len() * micros(seen.len()) / 1_000;
                phone.bench.now = phone.bench.now.after(Duration::from_millis(took as u64));
                seen.push(batch.operations.len());
            }
            if ask == Ask::Done {
                break;
            }
            given = phone.fake.serve(ask);
        }
        assert_eq!(phone.names(&own()).len(), 250);
        assert_eq!((&seen[..sizes.len()], seen.len()), (sizes, batches), "{seen:?}");
    }
    check(|_| 0, &[16, 32, 64, 128, 256, 4], 6);
    check(|_| 100, &[16, 32, 64, 128, 256, 4], 6);
    check(|_| 5_000, &[16, 32, 40, 40], 14);
    check(|_| 30_000, &[16, 6, 6], 82);
    // However slow it is, there is a contact in each.
    check(|_| 900_000, &[16, 2, 2], 243);
    // It had something else to do for a while.
    check(|batch| if batch == 3 { 40_000 } else { 400 }, &[16, 32, 64, 128, 4, 10, 20, 40, 80], 10);
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_one_that_fails_holds_up_nobody() {
    let mut phone = Phone::new();
    for n in 1..100 {
        phone.others_name(id(n), &format!("Name {n}"));
    }
    phone.others(id(100), |fields| {
        let phone = |n: usize| {
            serde_json::from_value(json!({ "number": n.to_string(), "region": "" })).unwrap()
        };
        fields.name = Some("Many".parse().unwrap());
        fields.phones = (0..100).map(phone).collect();
    });
    phone.fake.most_operations = Some(30);
    phone.fake.poison = Some(id(50).to_string());
    phone.fake.fails_in = Some(2);
    phone.bench.sync();
    phone.pass();
    assert_eq!(phone.names(&own()).len(), 99);
    assert_eq!(phone.bench.engine.not_taken(), [id(50)]);
    assert_eq!(phone.bench.engine.status().unwrap().unfit, 1);
    phone.fake.poison = None;
    phone.settle();
    phone.is_in_step();
    assert_eq!(phone.bench.engine.status().unwrap().unfit, 0);
}

#[test]
fn what_cannot_be_in_the_book_is_put_aside_and_the_rest_goes_on() {
    let mut phone = Phone::new();
    let note = "x".repeat(1 << 20);
    let raw = phone.save(&own(), "Long", "5");
    phone.settle();
    phone.fake.write(raw, NOTE, &[("data1", Some(&note))]);
    phone.save(&google(), "Nul\0", "6");
    phone.save(&google(), "👩‍👩‍👧", "7");
    let many = phone.save(&google(), "Many", "8");
    for n in 0..5_000 {
        phone.fake.add(many, PHONE, &[("data1", Some(&n.to_string()))]).unwrap();
    }
    // A number and a kind that are not there.
    phone.fake.save(Some(&google()), &[(NAME, &[("data1", Some("Null"))]), (PHONE, &[])]);
    phone.settle();
    assert_eq!(phone.book(), ["Long", "Null", "👩‍👩‍👧"]);
    let unfit: Vec<_> = phone.bench.engine.unfit().map(|link| link.unfit.unwrap()).collect();
    assert_eq!(unfit, [Unfit::TooLong, Unfit::Nul, Unfit::TooMany]);
    // What others do with it waits, so that the note is not lost; and nothing is written while all is so.
    phone.others_name(phone.id("Long"), "Longer");
    phone.settle();
    let contact = phone.fake.contact(raw).unwrap();
    assert!(contact.rows.iter().any(|row| row.data[0].as_deref() == Some(note.as_str())));
    let before = format!("{:?}", phone.bench.engine.store());
    assert_eq!(phone.pass(), [Ask::Heads]);
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before);
    // Its user makes it shorter.
    phone.fake.write(raw, NOTE, &[("data1", Some("short"))]);
    phone.settle();
    let fields = phone.bench.fields(phone.id("Longer")).unwrap();
    assert_eq!(fields.note.unwrap().as_str(), "short");
    assert_eq!(phone.bench.engine.unfit().count(), 2);
}

#[test]
fn what_is_private_stays_on_the_phone_until_it_is_not() {
    let mut phone = Phone::new();
    phone.bench.engine.set_region("US".parse().unwrap()).unwrap();
    let private = |entries: &[&str]| Settings {
        account: Some(own()),
        private: Private {
            entries: entries.iter().map(|it| it.parse().unwrap()).collect(),
            ..Private::default()
        },
        ..Settings::default()
    };
    phone.bench.engine.set_settings(private(&["415-555-2671", "Doctor"])).unwrap();
    phone.save(&google(), "Mum", "+1 (415) 555-2671");
    let own_one = phone.save(&own(), "Doctor", "5");
    phone.save(&own(), "Ann", "6");
    phone.settle();
    assert_eq!(
        (phone.book(), phone.names(&own())),
        (vec!["Ann".into()], vec!["Ann".into(), "Doctor".into()])
    );
    assert_eq!(phone.fake.contact(own_one).unwrap().head.source_id, None, "nothing marks it");
    let before = format!("{:?}", phone.bench.engine.store());
    phone.pass();
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before);
    phone.bench.engine.set_settings(private(&[])).unwrap();
    phone.settle();
    assert_eq!(phone.book(), ["Ann", "Doctor", "Mum"]);
    phone.is_in_step();
    // What is in the book already stays as it is there.
    phone.bench.engine.set_settings(private(&["Ann"])).unwrap();
    phone.fake.write(phone.raw(&own(), "Ann"), NOTE, &[("data1", Some("secret"))]);
    phone.settle();
    assert_eq!(phone.bench.fields(phone.id("Ann")).unwrap().note, None);
    phone.bench.engine.set_settings(private(&[])).unwrap();
    phone.settle();
    assert!(phone.bench.fields(phone.id("Ann")).unwrap().note.is_some());
}

#[test]
fn two_raw_contacts_of_one_contact_become_one() {
    let mut phone = Phone::new();
    phone.others_name(id(1), "Ann");
    phone.settle();
    let copy = phone.save(&own(), "Ann", "5");
    phone
        .fake
        .update(&Uri::row(Table::RawContacts, copy.0), &[("sourceid", Some(&id(1).to_string()))])
        .unwrap();
    phone.settle();
    phone.is_in_step();
    assert_eq!(phone.bench.fields(id(1)).unwrap().phones.len(), 1);
}

#[test]
fn a_phone_that_gives_no_answer_ends_the_pass() {
    let mut phone = Phone::new();
    let mut pass = Pass::default();
    assert_eq!(phone.ask(&mut pass, Given::Start), Ask::Heads);
    let refused = Given::Refused { why: crate::provider::Refusal::Failed };
    assert_eq!(phone.ask(&mut pass, refused), Ask::Done);
    let mut phone = Phone { bench: Bench::synced(), fake: Fake::default() };
    assert_eq!(phone.ask(&mut Pass::default(), Given::Start), Ask::Done, "without an account");
}

#[test]
fn labels_follow_both_ways() {
    let mut phone = Phone::new();
    let check = |phone: &Phone, name: &str, labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        assert_eq!(phone.labels(name), (labels.clone(), labels), "{name}");
    };
    let team = phone.fake.label(&own(), "Team");
    let ann = phone.save(&own(), "Ann", "1");
    phone.put_under(ann, team);
    let family = phone.fake.label(&google(), "Family");
    let bob = phone.save(&google(), "Bob", "2");
    phone.put_under(bob, family);
    phone.settle();
    check(&phone, "Ann", &["Team"]);
    check(&phone, "Bob", &["Family"]);
    phone.is_in_step();
    // Others put Bob under a label that the phone has, and Ann under one that it has not.
    let team_label = || "Team".parse().unwrap();
    phone.others(phone.id("Bob"), |fields| fields.groups.push(team_label()));
    phone.others(phone.id("Ann"), |fields| fields.groups = vec!["VIP".parse().unwrap()]);
    phone.settle();
    check(&phone, "Ann", &["VIP"]);
    check(&phone, "Bob", &["Family", "Team"]);
    phone.is_in_step();
    let own_groups = |phone: &Phone| {
        let groups = phone.fake.groups().into_iter().filter(|it| it.account == Some(own()));
        groups.map(|it| it.title.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(own_groups(&phone), ["Team", "Family", "VIP"]);
    // Its user renames a label, and deletes another.
    phone.fake.update(&Uri::row(Table::Groups, team), &[("title", Some("Crew"))]).unwrap();
    let vip = phone.fake.groups().into_iter().find(|it| it.title.as_deref() == Some("VIP"));
    phone.fake.delete(&Uri::row(Table::Groups, vip.unwrap().id));
    phone.settle();
    check(&phone, "Ann", &[]);
    check(&phone, "Bob", &["Crew", "Family"]);
    phone.is_in_step();
    assert_eq!(own_groups(&phone), ["Crew", "Family"]);
    assert!(phone.fake.groups().iter().any(|it| it.account == Some(google())));
    // A quiet pass reads what there is and writes nothing.
    let before = format!("{:?}", phone.bench.engine.store());
    assert_eq!(phone.pass(), [Ask::Heads]);
    assert_eq!(format!("{:?}", phone.bench.engine.store()), before);
}

#[test]
fn a_deletion_is_taken_once_and_what_is_typed_after_it_stays() {
    // After so many answers the pass that has taken it dies.
    for asks in 0..6 {
        let mut phone = Phone::new();
        let theirs = phone.save(&google(), "Ann", "1");
        phone.settle();
        phone.fake.remove(phone.raw(&own(), "Ann"));
        phone.fake.add(theirs, PHONE, &[("data1", Some("2"))]).unwrap();
        phone.part(asks, 0);
        phone.settle();
        let fields = phone.bench.fields(phone.id("Ann")).unwrap();
        assert_eq!(fields.phones.len(), 2, "after {asks} answers");
        phone.is_in_step();
        phone.fake.remove(phone.raw(&own(), "Ann"));
        phone.settle();
        assert_eq!(phone.book(), Vec::<String>::new(), "another deletion is taken");
        phone.is_in_step();
    }
}

#[test]
fn a_label_is_renamed_again_after_each_crash_of_a_pass() {
    #[track_caller]
    fn check(title: Option<&str>, labels: &[&str]) {
        // After so many answers the pass dies, and the label is renamed again or removed.
        for asks in 0..6 {
            let mut phone = Phone::new();
            let team = phone.fake.label(&own(), "Team");
            let ann = phone.save(&own(), "Ann", "1");
            phone.put_under(ann, team);
            phone.settle();
            let group = Uri::row(Table::Groups, team);
            phone.fake.update(&group, &[("title", Some("Crew"))]).unwrap();
            phone.save(&own(), "Bob", "2");
            phone.part(asks, 0);
            match title {
                Some(_) => phone.fake.update(&group, &[("title", title)]).unwrap(),
                None => phone.fake.delete(&group),
            };
            phone.settle();
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            assert_eq!(phone.labels("Ann"), (labels.clone(), labels), "after {asks} answers");
            phone.is_in_step();
        }
    }
    check(Some("Shift"), &["Shift"]);
    check(Some("Team"), &["Team"]); // as it was
    check(None, &[]);
}

#[test]
fn labels_that_came_while_its_driver_knew_none_are_shown_whenever_a_pass_dies() {
    for asks in 0..6 {
        let mut phone = Phone::new();
        phone.save(&own(), "Ann", "1");
        phone.settle();
        phone.others(phone.id("Ann"), |fields| fields.groups = vec!["Team".parse().unwrap()]);
        phone.bench.sync();
        phone.pass_without_labels();
        phone.part(asks, 0);
        phone.settle();
        let team = vec!["Team".to_owned()];
        assert_eq!(phone.labels("Ann"), (team.clone(), team), "after {asks} answers");
    }
}

#[test]
fn two_labels_of_one_name_are_told_apart() {
    let mut phone = Phone::new();
    let (one, other) = (phone.fake.label(&own(), "Team"), phone.fake.label(&own(), "Team"));
    let (ann, bob) = (phone.save(&own(), "Ann", "1"), phone.save(&own(), "Bob", "2"));
    for (raw, group) in [(ann, one), (ann, other), (bob, other)] {
        phone.put_under(raw, group);
    }
    phone.settle();
    phone.fake.update(&Uri::row(Table::Groups, one), &[("title", Some("Crew"))]).unwrap();
    phone.settle();
    let both: Vec<String> = vec!["Crew".into(), "Team".into()];
    assert_eq!(phone.labels("Ann"), (both.clone(), both));
    assert_eq!(phone.labels("Bob"), (vec!["Team".into()], vec!["Team".into()]));
    phone.is_in_step();
}

#[test]
fn labels_that_nobody_may_have_and_a_phone_that_knows_none() {
    let mut phone = Phone::new();
    let (long, empty) =
        (phone.fake.label(&own(), &"x".repeat(1_001)), phone.fake.label(&own(), ""));
    let ann = phone.save(&own(), "Ann", "1");
    [long, empty, 99].into_iter().for_each(|group| phone.put_under(ann, group));
    phone.settle();
    assert_eq!(phone.labels("Ann"), (vec![], vec![]));
    let rows = phone.fake.contact(ann).unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.mimetype == MEMBERSHIP).count(), 3, "left as they are");
    let pass = Phone::pass_without_labels;
    phone.others(phone.id("Ann"), |fields| {
        fields.groups = vec!["Team".parse().unwrap()];
        fields.note = Some("hi".parse().unwrap());
    });
    phone.bench.sync();
    pass(&mut phone);
    phone.fake.write(ann, NOTE, &[("data1", Some("mine"))]);
    pass(&mut phone);
    phone.bench.sync();
    pass(&mut phone);
    phone.bench.sync();
    let fields = phone.bench.fields(phone.id("Ann")).unwrap();
    assert_eq!((fields.note.unwrap().as_str(), fields.groups.len()), ("mine", 1));
    pass(&mut phone);
    assert_eq!(pass(&mut phone), [Ask::Heads]);
    phone.settle();
    let is_of_the_team = |phone: &Phone| {
        assert_eq!(phone.labels("Ann"), (vec!["Team".into()], vec!["Team".into()]));
    };
    is_of_the_team(&phone);
    // Renamed to what no book can have: it stays what it was.
    let team = phone.fake.groups().into_iter().find(|it| it.title.as_deref() == Some("Team"));
    let team = Uri::row(Table::Groups, team.unwrap().id);
    phone.fake.update(&team, &[("title", Some(&"x".repeat(1_001)))]).unwrap();
    phone.fake.write(ann, NOTE, &[("data1", Some("mine too"))]);
    phone.settle();
    is_of_the_team(&phone);
    assert_eq!(phone.pass(), [Ask::Heads]);
}

#[test]
fn what_a_duplicate_had_of_its_own_comes_back_with_it() {
    let mut phone = Phone::new();
    let team = phone.fake.label(&own(), "Team");
    let rows: &[(&str, Columns<'_>)] = &[
        (NAME, &[("data1", Some("Younger")), ("data2", Some("Younger")), ("data7", Some("Yan"))]),
        (PHONE, &[("data1", Some("5")), ("data2", Some("99")), ("data4", Some("+15"))]),
        (PHOTO, &[("data14", Some("3")), ("data15", Some("cGhvdG8="))]),
        ("x.y/z", &[("data1", Some("7")), ("is_primary", Some("1"))]),
    ];
    let raw = phone.fake.save(Some(&own()), rows);
    phone.put_under(raw, team);
    phone.settle();
    let id = phone.id("Younger");
    let fields = phone.bench.fields(id).unwrap();
    phone.others_name(super::id(1), "Older");
    phone.others_drop(id, Form::Hidden { owner: super::id(1) });
    phone.settle();
    assert_eq!(phone.names(&own()), ["Older"]);
    phone.bench.engine.forget_duplicate(id).unwrap();
    phone.bench.crash();
    assert_eq!(phone.bench.engine.duplicates().count(), 0);
    // It is told apart, and others have named it anew.
    phone.others(id, |it| *it = Fields { name: Some("Elder".parse().unwrap()), ..fields });
    phone.settle();
    phone.is_in_step();
    let back = phone.of(&own()).into_iter().find(|contact| name_of(contact) == "Elder").unwrap();
    let column = |mimetype: &str, n: usize| {
        let row = back.rows.iter().find(|row| row.mimetype == mimetype).unwrap();
        row.data[n - 1].clone().unwrap_or_default()
    };
    assert_eq!(column(NAME, 7), "Yan");
    assert_eq!((column(PHONE, 2), column(PHONE, 4)), ("99".into(), "+15".into()));
    assert_eq!((column(PHOTO, 14), column(PHOTO, 15)), ("3".into(), "cGhvdG8=".into()));
    assert_eq!((column("x.y/z", 1), column(MEMBERSHIP, 1)), ("7".into(), "Team".into()));
    assert_eq!(phone.bench.engine.store().duplicates().unwrap(), [], "nothing is kept any more");
}

#[test]
fn what_is_on_the_phone_and_the_store_has_forgotten_gives_way_to_the_book() {
    let check = |what: &str, edit: fn(&mut Phone, RawId)| {
        let mut phone = Phone::new();
        phone.others_name(id(1), "Ann");
        phone.settle();
        let backup = phone.bench.engine.store().clone();
        let raw = phone.raw(&own(), "Ann");
        edit(&mut phone, raw);
        phone.pass();
        // Its op is gone with the store, and nothing on the phone tells that its user has written it.
        phone.bench.engine = Engine::open(backup).unwrap();
        phone.settle();
        assert_eq!((phone.book(), phone.names(&own())), (vec!["Ann".into()], vec!["Ann".into()]));
        assert!(!phone.of(&own())[0].head.starred, "{what}");
    };
    check("named", |phone, raw| phone.fake.write(raw, NAME, &[("data1", Some("Anna"))]));
    // Android counts no version for that.
    check("starred", |phone, raw| {
        let row = Uri::row(Table::RawContacts, raw.0);
        phone.fake.update(&row, &[("starred", Some("1"))]).unwrap();
    });
}

#[test]
fn contacts_that_swap_ids_are_not_taken_for_each_other() {
    let mut phone = Phone::new();
    phone.save(&own(), "Ann", "1");
    phone.save(&google(), "Bob", "2");
    phone.save(&google(), "Cid", "3");
    phone.settle();
    assert_eq!(phone.book(), ["Ann", "Bob", "Cid"]);
    // Each now has the id and the version of the one after it.
    phone.fake.renumber(1);
    phone.settle();
    phone.fake.write(phone.raw(&google(), "Bob"), NAME, &[("data1", Some("Bobby"))]);
    phone.settle();
    assert_eq!(phone.book(), ["Ann", "Bobby", "Cid"]);
    phone.is_in_step();
}

/// Found by the simulator (seed 5006): a number that sleeps in the book already was written once more, before a pull
/// had come to its end.
#[test]
fn what_changes_nothing_in_the_book_goes_from_the_phone() {
    let mut phone = Phone::in_the_middle_of_a_pull();
    phone.fake.write(phone.raw(&own(), "Ann"), NAME, &[("data1", Some("Anna"))]);
    phone.pass();
    phone.bench.engine.start_sync();
    loop {
        let request = phone.bench.request();
        if request.body.is_some() {
            break;
        }
        let answer = phone.bench.answer(&request);
        phone.bench.receive(answer);
    }
    phone.bench.acked += 1;
    let (epoch, acked_seq, rev) = (phone.bench.epoch(), phone.bench.acked, Rev(phone.bench.rev));
    let results = vec![result(acked_seq, Status::Unchanged, None)];
    phone.bench.receive(ok(&PushAnswer { epoch, acked_seq, rev, results }));
    phone.bench.sync();
    phone.settle();
    assert_eq!(phone.names(&own()), ["Ann"]);
    phone.is_in_step();
}
