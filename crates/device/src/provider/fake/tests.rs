//! The calls of `ProviderScenarios.kt`, each on a new provider, and what Android 14's was seen to give.

use super::rows::NAME;
use super::*;

const PHONE: &str = "vnd.android.cursor.item/phone_v2";
const RAWS: Table = Table::RawContacts;

fn state(fake: &Fake) -> String {
    let heads = fake.heads().into_iter().map(|head| {
        format!("dirty{} v{} del{}", i32::from(head.dirty), head.version, i32::from(head.deleted))
    });
    format!("[{}]", heads.collect::<Vec<_>>().join(", "))
}

fn of_account(more: Columns<'static>) -> Vec<(&'static str, Option<&'static str>)> {
    let account = [("account_name", Some("me")), ("account_type", Some("org.example"))];
    [&account, more].concat()
}

fn uri(table: Table, sync: bool) -> Uri {
    Uri { sync, ..Uri::of(table) }
}

/// A raw contact with a name and a number, in one batch.
fn two(fake: &mut Fake, sync: bool) -> i64 {
    let name = [("mimetype", Some(NAME)), ("data1", Some("Ann"))];
    let phone = [("mimetype", Some(PHONE)), ("data1", Some("1234567"))];
    let ops = [
        BatchOp::new(Call::Insert, uri(RAWS, sync), &of_account(&[])),
        BatchOp::new(Call::Insert, uri(Table::Data, sync), &name).back(0),
        BatchOp::new(Call::Insert, uri(Table::Data, sync), &phone).back(0),
    ];
    fake.apply_batch(&ops).unwrap()[0]
}

fn phone_row(fake: &Fake) -> i64 {
    *fake.rows.data.iter().find(|(_, datum)| datum.mimetype == PHONE).unwrap().0
}

/// What a call gives, as Kotlin prints it.
fn shown<T: ToString>(result: Result<Option<T>, Thrown>) -> String {
    match result {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "null".to_owned(),
        Err(thrown) => thrown.to_string(),
    }
}

/// An update of the raw contact, or the number, of [`two`].
fn updated(sync_made: bool, table: Table, sync: bool, values: Columns<'_>) -> String {
    let mut fake = Fake::default();
    let raw = two(&mut fake, sync_made);
    let id = if table == RAWS { raw } else { phone_row(&fake) };
    let count = fake.update(&Uri { sync, ..Uri::row(table, id) }, values).unwrap();
    format!("{count} {}", state(&fake))
}

fn deleted(table: Table, sync: bool) -> String {
    let mut fake = Fake::default();
    let raw = two(&mut fake, true);
    let id = if table == Table::Data { phone_row(&fake) } else { raw };
    let count = fake.delete(&Uri { sync, ..Uri::row(table, id) });
    format!("{count} {}", state(&fake))
}

fn inserted(sync: bool, values: Columns<'static>) -> String {
    let mut fake = Fake::default();
    fake.insert(&uri(RAWS, sync), &of_account(values)).unwrap();
    state(&fake)
}

fn phone_later(sync: bool) -> String {
    let mut fake = Fake::default();
    let raw = two(&mut fake, true).to_string();
    let values =
        [("raw_contact_id", Some(raw.as_str())), ("mimetype", Some(PHONE)), ("data1", Some("77"))];
    fake.insert(&uri(Table::Data, sync), &values).unwrap();
    state(&fake)
}

fn data_insert(values: Columns<'_>) -> String {
    shown(Fake::default().insert(&Uri::of(Table::Data).sync(), values))
}

fn other(name: &str) -> Option<Account> {
    Some(Account { name: name.into(), r#type: "org.example".into() })
}

/// What the fake gives for a scenario.
fn give(scenario: &str) -> String {
    let mut fake = Fake::default();
    let f = &mut fake;
    match scenario {
        "raw alone by app" => inserted(false, &[]),
        "raw alone by sync" => inserted(true, &[]),
        "raw+2 data one batch by sync" => {
            two(f, true);
            state(f)
        }
        "raw+2 data one batch by app" => {
            two(f, false);
            state(f)
        }
        "app updates sync1" => updated(true, RAWS, false, &[("sync1", Some("x"))]),
        "app updates sourceid" => updated(true, RAWS, false, &[("sourceid", Some("x"))]),
        "app stars" => updated(true, RAWS, false, &[("starred", Some("1"))]),
        "sync stars" => updated(true, RAWS, true, &[("starred", Some("1"))]),
        "sync updates sourceid" => updated(true, RAWS, true, &[("sourceid", Some("x"))]),
        "sync sets dirty=0" => updated(false, RAWS, true, &[("dirty", Some("0"))]),
        "app sets dirty=0" => updated(false, RAWS, false, &[("dirty", Some("0"))]),
        "app inserts data later" => phone_later(false),
        "sync inserts data later" => phone_later(true),
        "app updates data" => updated(true, Table::Data, false, &[("data1", Some("99"))]),
        "app updates data to the same value" => {
            updated(true, Table::Data, false, &[("data1", Some("1234567"))])
        }
        "sync updates data" => updated(true, Table::Data, true, &[("data1", Some("99"))]),
        "sync updates data_sync1" => updated(true, Table::Data, true, &[("data_sync1", Some("e"))]),
        "app sets is_super_primary" => {
            updated(true, Table::Data, false, &[("is_super_primary", Some("1"))])
        }
        "app deletes data" => deleted(Table::Data, false),
        "sync deletes data" => deleted(Table::Data, true),
        "app deletes raw" => deleted(RAWS, false),
        "app deletes raw twice" => {
            let raw = two(f, true);
            f.delete(&Uri::row(RAWS, raw));
            format!("{} {}", f.delete(&Uri::row(RAWS, raw)), state(f))
        }
        "app deletes raw: Data, data by id, entities seen" => {
            let (raw, row) = (two(f, true), phone_row(f));
            f.delete(&Uri::row(RAWS, raw));
            let count = |uri: Uri| f.query(&uri, &[]).unwrap().len();
            let (all, one) = (count(Uri::of(Table::Data)), count(Uri::row(Table::Data, row)));
            format!("{all} {one} {}", count(Uri::of(Table::DataOf(raw))))
        }
        "app undeletes" => {
            let raw = Uri::row(RAWS, two(f, true));
            f.delete(&raw);
            let count = f.update(&raw, &[("deleted", Some("0"))]).unwrap();
            let rows = f.query(&Uri::of(Table::Data), &[]).unwrap().len();
            format!("{count} {} data {rows}", state(f))
        }
        "sync deletes raw" => deleted(RAWS, true),
        "app deletes raw of no account" => {
            f.insert(&Uri::of(RAWS), &[]).unwrap();
            format!("{} {}", f.delete(&Uri::row(RAWS, 1)), state(f))
        }
        "app deletes aggregate contact" => deleted(Table::Contacts, false),
        "sync deletes aggregate contact" => deleted(Table::Contacts, true),
        "account name without type" => {
            shown(f.insert(&Uri::of(RAWS).sync(), &[("account_name", Some("me"))]))
        }
        "account only in uri" => {
            f.insert(&Uri { account: other("me"), ..Uri::of(RAWS).sync() }, &[]).unwrap();
            f.query(&Uri { account: other("me"), ..Uri::of(RAWS) }, &[]).unwrap().len().to_string()
        }
        "account in uri and values differ" => {
            let values = [("account_name", Some("you")), ("account_type", Some("org.example"))];
            shown(f.insert(&Uri { account: other("me"), ..Uri::of(RAWS).sync() }, &values))
        }
        "uri account filters query" => {
            two(f, true);
            f.query(&Uri { account: other("you"), ..Uri::of(RAWS) }, &[]).unwrap().len().to_string()
        }
        "uri account filters delete" => {
            two(f, true);
            let count = f.delete(&Uri { account: other("you"), ..Uri::of(RAWS).sync() });
            format!("{count} {}", state(f))
        }
        "data without mimetype" => {
            data_insert(&[("raw_contact_id", Some("1")), ("data1", Some("1"))])
        }
        "data without raw contact id" => {
            data_insert(&[("mimetype", Some(PHONE)), ("data1", Some("1"))])
        }
        "data of a raw contact that is not there" => data_insert(&[
            ("raw_contact_id", Some("99")),
            ("mimetype", Some(PHONE)),
            ("data1", Some("1")),
        ]),
        "unknown column" => {
            shown(f.insert(&Uri::of(RAWS).sync(), &of_account(&[("nonsense", Some("1"))])))
        }
        "sync writes version" => updated(true, RAWS, true, &[("version", Some("50"))]),
        "unknown projection column" => {
            shown(f.query(&Uri::of(RAWS), &["nonsense"]).map(|rows| Some(rows.len())))
        }
        "same sourceid twice" => {
            let values = of_account(&[("sourceid", Some("s"))]);
            let results = [(); 2].map(|()| f.insert(&Uri::of(RAWS).sync(), &values).unwrap());
            assert!(results.iter().all(Option::is_some));
            state(f)
        }
        "same backup_id twice" => {
            let values = of_account(&[("backup_id", Some("s"))]);
            let [a, b] = [(); 2].map(|()| shown(f.insert(&Uri::of(RAWS).sync(), &values)));
            format!("{a} {b} {}", state(f))
        }
        "notify flags: sync batch, app batch, app update, sync update" => {
            let told = |f: &mut Fake| {
                let told = std::mem::take(&mut f.notified).into_iter();
                let told = told.map(|sync| format!("com.android.contacts:{sync}"));
                format!("[{}]", told.collect::<Vec<_>>().join(", "))
            };
            two(f, true);
            let a = told(f);
            two(f, false);
            let b = told(f);
            let row = phone_row(f);
            f.update(&Uri::row(Table::Data, row), &[("data1", Some("9"))]).unwrap();
            let c = told(f);
            f.update(&Uri::row(Table::Data, row).sync(), &[("data1", Some("8"))]).unwrap();
            format!("{a} {b} {c} {}", told(f))
        }
        "batch by sync: raw, data, update, data" => {
            let phone = |number| [("mimetype", Some(PHONE)), ("data1", Some(number))];
            let ops = [
                BatchOp::new(Call::Insert, Uri::of(RAWS).sync(), &of_account(&[])),
                BatchOp::new(Call::Insert, Uri::of(Table::Data).sync(), &phone("111")).back(0),
                BatchOp::new(Call::Update, Uri::of(RAWS).sync(), &[("sync1", Some("x"))]).back(0),
                BatchOp::new(Call::Insert, Uri::of(Table::Data).sync(), &phone("222")).back(0),
            ];
            f.apply_batch(&ops).unwrap();
            state(f)
        }
        "batch by sync: delete data and insert it again" => {
            let raw = two(f, true).to_string();
            let row = Uri::row(Table::Data, phone_row(f)).sync();
            let values = [
                ("raw_contact_id", Some(raw.as_str())),
                ("mimetype", Some(PHONE)),
                ("data1", Some("5")),
            ];
            let ops = [
                BatchOp::new(Call::Delete, row, &[]),
                BatchOp::new(Call::Insert, Uri::of(Table::Data).sync(), &values),
            ];
            f.apply_batch(&ops).unwrap();
            state(f)
        }
        "app inserts data on a tombstone" => {
            let raw = two(f, true);
            f.delete(&Uri::row(RAWS, raw));
            f.add(crate::provider::RawId(raw), PHONE, &[("data1", Some("7"))]).unwrap();
            state(f)
        }
        "sync inserts raw with dirty=1" => inserted(true, &[("dirty", Some("1"))]),
        "delete of what is not there" => {
            let nobody = Uri::row(RAWS, 99);
            let (a, b) = (f.delete(&nobody.clone().sync()), f.delete(&nobody));
            format!("{a} {b} {}", f.update(&nobody.sync(), &[("sync1", Some("x"))]).unwrap())
        }
        other => panic!("a scenario that nobody plays: {other}"),
    }
}

#[test]
fn it_gives_what_androids_provider_gives() {
    let observed = include_str!("observed.tsv").lines().skip(1);
    let rows: Vec<(&str, &str)> = observed.map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(rows.len(), 47);
    for (scenario, expected) in rows {
        let given = give(scenario);
        // Messages were written down up to the middle of their URI.
        let is_cut = expected.ends_with("; URI: co");
        let given = if is_cut { &given[..expected.len()] } else { &given };
        assert_eq!(given, expected, "{scenario}");
    }
}

#[test]
fn five_hundred_operations_need_a_yield_point() {
    #[track_caller]
    fn check(ops: usize, yields_at: Option<usize>, is_applied: bool) {
        let mut batch =
            vec![BatchOp::new(Call::Insert, Uri::of(RAWS).sync(), &of_account(&[])); ops];
        if let Some(at) = yields_at {
            batch[at].yields = true;
        }
        let mut fake = Fake::default();
        assert_eq!(fake.apply_batch(&batch).is_ok(), is_applied);
        assert_eq!(fake.heads().len(), if is_applied { ops } else { 0 });
    }
    check(499, None, true);
    check(500, None, false);
    check(500, Some(499), false); // the counter goes up before the flag is read
    check(500, Some(498), true);
    check(998, Some(498), true); // 498, the yield point and 499
    check(999, Some(498), false);
}

#[test]
fn a_yield_point_commits_only_when_others_wait() {
    for is_contended in [false, true] {
        let mut fake = Fake { is_contended, ..Fake::default() };
        let insert = |yields| BatchOp {
            yields,
            ..BatchOp::new(Call::Insert, Uri::of(RAWS).sync(), &of_account(&[]))
        };
        let nobody = BatchOp::new(Call::Assert, Uri::row(RAWS, 99), &[]);
        assert!(fake.apply_batch(&[insert(true), insert(true), nobody]).is_err());
        assert_eq!(fake.heads().len(), usize::from(is_contended));
    }
}
