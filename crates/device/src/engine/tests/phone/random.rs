//! Whatever people, other apps, other phones and crashes do in whatever order: in the end the phone shows the book,
//! no contact of another account was touched, and what was typed is in the book.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Act {
    Save {
        foreign: bool,
    },
    Name {
        foreign: bool,
        which: usize,
    },
    Number {
        foreign: bool,
        which: usize,
    },
    Star {
        foreign: bool,
        which: usize,
    },
    Photo {
        which: usize,
    },
    /// A label of three.
    Label {
        foreign: bool,
        which: usize,
        label: usize,
    },
    RenameLabel {
        which: usize,
        label: usize,
    },
    RemoveLabel {
        which: usize,
    },
    OthersLabel {
        which: usize,
        label: usize,
    },
    OthersShow {
        which: usize,
    },
    Delete {
        foreign: bool,
        which: usize,
    },
    OthersSave,
    OthersName {
        which: usize,
    },
    OthersDelete {
        which: usize,
    },
    OthersHide {
        which: usize,
    },
    Lose,
    Renumber,
    Crash,
    /// A pass that ends after so many answers, in the middle of a batch when it comes to one.
    Part {
        asks: usize,
        operations: usize,
    },
    /// A pass while its user writes, after so many answers.
    Race {
        asks: usize,
        which: usize,
    },
    Pass,
    Sync,
    Contended(bool),
    Carries(Option<usize>),
    Fails(u32),
}

fn act() -> impl Strategy<Value = Act> {
    let which = 0..8usize;
    prop_oneof![
        3 => any::<bool>().prop_map(|foreign| Act::Save { foreign }),
        3 => (any::<bool>(), which.clone()).prop_map(|(foreign, which)| Act::Name { foreign, which }),
        3 => (any::<bool>(), which.clone()).prop_map(|(foreign, which)| Act::Number { foreign, which }),
        1 => (any::<bool>(), which.clone()).prop_map(|(foreign, which)| Act::Star { foreign, which }),
        1 => which.clone().prop_map(|which| Act::Photo { which }),
        2 => (any::<bool>(), which.clone(), 0..3usize).prop_map(|(foreign, which, label)| Act::Label { foreign, which, label }),
        1 => (which.clone(), 0..3usize).prop_map(|(which, label)| Act::RenameLabel { which, label }),
        1 => which.clone().prop_map(|which| Act::RemoveLabel { which }),
        1 => (which.clone(), 0..3usize).prop_map(|(which, label)| Act::OthersLabel { which, label }),
        1 => which.clone().prop_map(|which| Act::OthersShow { which }),
        1 => (any::<bool>(), which.clone()).prop_map(|(foreign, which)| Act::Delete { foreign, which }),
        2 => Just(Act::OthersSave),
        2 => which.clone().prop_map(|which| Act::OthersName { which }),
        1 => which.clone().prop_map(|which| Act::OthersDelete { which }),
        1 => which.prop_map(|which| Act::OthersHide { which }),
        1 => Just(Act::Lose),
        1 => Just(Act::Renumber),
        1 => Just(Act::Crash),
        3 => (0..6usize, 0..12usize).prop_map(|(asks, operations)| Act::Part { asks, operations }),
        3 => (0..6usize, 0..8usize).prop_map(|(asks, which)| Act::Race { asks, which }),
        4 => Just(Act::Pass),
        4 => Just(Act::Sync),
        1 => any::<bool>().prop_map(Act::Contended),
        1 => prop::option::of(3..20usize).prop_map(Act::Carries),
        1 => (0..3u32).prop_map(Act::Fails),
    ]
}

/// A phone, and what is known of what was typed.
struct World {
    phone: Phone,
    count: usize,
    /// Numbers that must be in the book at the end.
    typed: BTreeSet<String>,
}

impl World {
    fn next(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }

    fn some(&self, foreign: bool, which: usize) -> Option<RawId> {
        let contacts = self.phone.of(&if foreign { google() } else { own() });
        contacts.get(which % contacts.len().max(1)).map(|contact| contact.head.raw)
    }

    fn some_group(&self, which: usize) -> Option<i64> {
        let groups = self.phone.fake.groups().into_iter();
        let own: Vec<_> = groups.filter(|it| !it.deleted && it.account == Some(own())).collect();
        own.get(which % own.len().max(1)).map(|group| group.id)
    }

    fn some_id(&self, which: usize) -> Option<ContactId> {
        let visible =
            self.phone.bench.book.iter().filter(|row| matches!(row.form, Form::Visible(_)));
        let ids: Vec<ContactId> = visible.map(|row| row.id).collect();
        ids.get(which % ids.len().max(1)).copied()
    }

    fn foreign(&self) -> Vec<RawContact> {
        let heads = self.phone.fake.heads().into_iter().filter(|head| head.account != Some(own()));
        heads.filter_map(|head| self.phone.fake.contact(head.raw)).collect()
    }

    fn act(&mut self, act: Act) {
        let n = self.next();
        match act {
            Act::Save { foreign } => {
                let account = if foreign { google() } else { own() };
                self.phone.save(&account, &format!("Name {n}"), &n);
                self.typed.insert(n);
            }
            Act::Name { foreign, which } => {
                let Some(raw) = self.some(foreign, which) else { return };
                self.phone.fake.write(raw, NAME, &[("data1", Some(&format!("Name {n}")))]);
            }
            Act::Number { foreign, which } => {
                let Some(raw) = self.some(foreign, which) else { return };
                self.phone.fake.add(raw, PHONE, &[("data1", Some(&n))]).unwrap();
                self.typed.insert(n);
            }
            Act::Star { foreign, which } => {
                let Some(raw) = self.some(foreign, which) else { return };
                let raw = Uri::row(Table::RawContacts, raw.0);
                self.phone.fake.update(&raw, &[("starred", Some("1"))]).unwrap();
            }
            Act::Photo { which } => {
                let Some(raw) = self.some(false, which) else { return };
                self.phone.fake.add(raw, PHOTO, &[("data14", Some(&n))]).unwrap();
            }
            Act::Label { foreign, which, label } => {
                let account = if foreign { google() } else { own() };
                let Some(raw) = self.some(foreign, which) else { return };
                let title = format!("Label {label}");
                let is = |it: &&crate::provider::GroupRow| {
                    !it.deleted
                        && it.account.as_ref() == Some(&account)
                        && it.title == Some(title.clone())
                };
                let group = self.phone.fake.groups().iter().find(is).map(|group| group.id);
                let group = group.unwrap_or_else(|| self.phone.fake.label(&account, &title));
                self.phone.put_under(raw, group);
            }
            Act::RenameLabel { which, label } => {
                let Some(group) = self.some_group(which) else { return };
                let title = format!("Label {label}");
                let group = Uri::row(Table::Groups, group);
                self.phone.fake.update(&group, &[("title", Some(&title))]).unwrap();
            }
            Act::RemoveLabel { which } => {
                let Some(group) = self.some_group(which) else { return };
                self.phone.fake.delete(&Uri::row(Table::Groups, group));
            }
            Act::OthersLabel { which, label } => {
                let Some(id) = self.some_id(which) else { return };
                self.phone
                    .others(id, |it| it.groups = vec![format!("Label {label}").parse().unwrap()]);
            }
            Act::OthersShow { which } => {
                // A hidden contact is told apart.
                let hidden: Vec<ContactId> =
                    self.phone.bench.engine.duplicates().map(|it| it.id).collect();
                let Some(id) = hidden.get(which % hidden.len().max(1)) else { return };
                self.phone.others_name(*id, &format!("Back {n}"));
            }
            Act::Delete { foreign, which } => {
                let Some(raw) = self.some(foreign, which) else { return };
                self.phone.fake.remove(raw);
                self.typed.clear();
            }
            Act::OthersSave => {
                let id = ContactId::new(Timestamp::from_millis(self.count as i64), [9; 10]);
                self.phone.others_name(id, &format!("Theirs {n}"));
            }
            Act::OthersName { which } => {
                let Some(id) = self.some_id(which) else { return };
                self.phone.others_name(id, &format!("Theirs {n}"));
            }
            Act::OthersDelete { which } | Act::OthersHide { which } => {
                let Some(id) = self.some_id(which) else { return };
                let form = match act {
                    Act::OthersHide { .. } => Form::Hidden { owner: super::id(1) },
                    _ => Form::Deleted,
                };
                self.phone.others_drop(id, form);
                self.typed.clear();
            }
            Act::Lose => {
                self.phone.fake.lose(&own());
                self.typed.clear();
            }
            Act::Renumber => self.phone.fake.renumber(1_000),
            Act::Crash => self.phone.bench.crash(),
            Act::Part { asks, operations } => self.phone.part(asks, operations),
            Act::Race { asks, which } => self.race(asks, which),
            Act::Pass => drop(self.phone.pass()),
            Act::Sync => self.phone.bench.sync(),
            Act::Contended(is_contended) => self.phone.fake.is_contended = is_contended,
            Act::Carries(most) => self.phone.fake.most_operations = most,
            Act::Fails(after) => self.phone.fake.fails_in = Some(after),
        }
    }

    fn race(&mut self, asks: usize, which: usize) {
        let (mut pass, mut given) = (Pass::default(), Given::Start);
        for n in 0.. {
            if n == asks {
                self.act(Act::Name { foreign: false, which });
                self.act(Act::Number { foreign: false, which });
            }
            match self.phone.ask(&mut pass, given) {
                Ask::Done => return,
                ask => given = self.phone.fake.serve(ask),
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_phone_comes_to_show_the_book(acts in prop::collection::vec(act(), 0..40)) {
        let mut world = World { phone: Phone::new(), count: 0, typed: BTreeSet::new() };
        for act in acts {
            let is_ours = matches!(act, Act::Part { .. } | Act::Pass | Act::Sync | Act::Crash);
            let before = world.foreign();
            world.act(act);
            if is_ours {
                prop_assert_eq!(world.foreign(), before);
            }
        }
        (world.phone.fake.fails_in, world.phone.fake.most_operations) = (None, None);
        let before = world.foreign();
        world.phone.settle();
        prop_assert_eq!(world.foreign(), before);
        world.phone.is_in_step();
        let book = world.phone.bench.book.iter().filter_map(|row| world.phone.bench.fields(row.id));
        let book: BTreeSet<String> =
            book.flat_map(|fields| fields.phones).map(|phone| phone.number.to_string()).collect();
        let lost: Vec<_> = world.typed.difference(&book).collect();
        prop_assert!(lost.is_empty(), "{lost:?}");
        // All is said: nothing is written any more.
        let quiet = format!("{:?}", world.phone.bench.engine.store());
        prop_assert_eq!(world.phone.pass(), [Ask::Heads]);
        prop_assert_eq!(format!("{:?}", world.phone.bench.engine.store()), quiet);
    }
}
