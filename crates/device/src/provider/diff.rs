//! What its user has changed of a contact: what it says now against what it said. Regions and keys of numbers are
//! not the phone's to say, so they are not compared; a region that is known goes with its number.

use callbook_base::Line;
use callbook_contacts::{Add, Edit, Entry, Fields, NewPhone, Phone, Remove, Set};

/// The edit that makes of what a contact said what it says now.
pub(crate) fn changed(before: &Fields, after: &Fields) -> Edit {
    fn set<T: Clone + PartialEq>(before: &T, after: &T) -> Option<T> {
        (before != after).then(|| after.clone())
    }
    Edit {
        set: Set {
            name: set(&before.name, &after.name),
            nickname: set(&before.nickname, &after.nickname),
            organization: set(&before.organization, &after.organization),
            title: set(&before.title, &after.title),
            note: set(&before.note, &after.note),
            name_parts: set(&before.name_parts, &after.name_parts),
            birthday: set(&before.birthday, &after.birthday),
            starred: set(&before.starred, &after.starred),
        },
        add: Add {
            phones: come(&before.phones, &after.phones).map(new_phone).collect(),
            emails: come(&before.emails, &after.emails).cloned().collect(),
            urls: come(&before.urls, &after.urls).cloned().collect(),
            addresses: come(&before.addresses, &after.addresses).cloned().collect(),
            groups: come(&before.groups, &after.groups).cloned().collect(),
        },
        remove: Remove {
            phones: go(&before.phones, &after.phones),
            emails: go(&before.emails, &after.emails),
            urls: go(&before.urls, &after.urls),
            addresses: go(&before.addresses, &after.addresses),
            groups: go(&before.groups, &after.groups),
        },
    }
}

/// What a contact says beyond what the book has of it: nothing is cleared and nothing removed. For when nobody
/// knows what it said before.
pub(crate) fn beyond(book: &Fields, phone: &Fields) -> Edit {
    let Edit { mut set, add, .. } = changed(book, phone);
    set.name = set.name.filter(Option::is_some);
    set.nickname = set.nickname.filter(Option::is_some);
    set.organization = set.organization.filter(Option::is_some);
    set.title = set.title.filter(Option::is_some);
    set.note = set.note.filter(Option::is_some);
    // Android takes every name apart by itself.
    let leaves_parts = book.name == phone.name && book.name_parts.is_none();
    set.name_parts = set.name_parts.filter(|parts| parts.is_some() && !leaves_parts);
    set.birthday = set.birthday.filter(Option::is_some);
    set.starred = set.starred.filter(|starred| *starred);
    Edit { set, add, remove: Remove::default() }
}

/// Of an edit what the book does not have already.
pub(crate) fn needed(mut edit: Edit, book: &Fields) -> Edit {
    fn set<T: PartialEq>(new: &mut Option<T>, book: &T) {
        new.take_if(|new| new == book);
    }
    let Edit { set: new, add, remove } = &mut edit;
    set(&mut new.name, &book.name);
    set(&mut new.nickname, &book.nickname);
    set(&mut new.organization, &book.organization);
    set(&mut new.title, &book.title);
    set(&mut new.note, &book.note);
    set(&mut new.name_parts, &book.name_parts);
    set(&mut new.birthday, &book.birthday);
    set(&mut new.starred, &book.starred);
    add.phones.retain(|new| {
        let is_same = |it: &Phone| NewPhone { region: new.region.clone(), ..said(it) } == *new;
        !book.phones.iter().any(is_same)
    });
    add.emails.retain(|entry| !book.emails.contains(entry));
    add.urls.retain(|entry| !book.urls.contains(entry));
    add.addresses.retain(|entry| !book.addresses.contains(entry));
    add.groups.retain(|entry| !book.groups.contains(entry));
    // What the book does not show is not there, or asleep: a pull took it from the phone, and not its user.
    fn shown<T: Listed>(gone: &mut Vec<Line>, book: &[T]) {
        gone.retain(|gone| book.iter().any(|entry| entry.identity() == gone));
    }
    shown(&mut remove.phones, &book.phones);
    shown(&mut remove.emails, &book.emails);
    shown(&mut remove.urls, &book.urls);
    shown(&mut remove.addresses, &book.addresses);
    shown(&mut remove.groups, &book.groups);
    edit
}

/// A number of which nobody knows the region has that of the push, or the stored one.
fn new_phone(phone: &Phone) -> NewPhone {
    let region = Some(&phone.region).filter(|region| !region.as_str().is_empty());
    NewPhone { region: region.cloned(), ..said(phone) }
}

/// As a phone says it, which knows no region.
fn said(phone: &Phone) -> NewPhone {
    NewPhone {
        number: phone.number.clone(),
        region: None,
        r#type: phone.r#type.clone(),
        label: phone.label.clone(),
        primary: phone.primary,
    }
}

/// An entry of a list, and what is the same when it is the same.
trait Listed {
    fn identity(&self) -> &Line;
    fn is_same(&self, other: &Self) -> bool;
}

impl Listed for Phone {
    fn identity(&self) -> &Line {
        &self.number
    }
    fn is_same(&self, other: &Self) -> bool {
        said(self) == said(other)
    }
}

impl Listed for Entry {
    fn identity(&self) -> &Line {
        &self.value
    }
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Listed for Line {
    fn identity(&self) -> &Line {
        self
    }
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// Entries that are new, or have other attributes.
fn come<'a, T: Listed>(before: &'a [T], after: &'a [T]) -> impl Iterator<Item = &'a T> {
    after.iter().filter(|new| !before.iter().any(|old| old.is_same(new)))
}

/// Identities that are no longer there.
fn go<T: Listed>(before: &[T], after: &[T]) -> Vec<Line> {
    let is_there = |old: &T| after.iter().any(|new| new.identity() == old.identity());
    before.iter().filter(|old| !is_there(old)).map(|old| old.identity().clone()).collect()
}
