//! What an edit changes, and how it meets the fields that are there. Whether it is accepted, and
//! who owns a number after it, must never live here.

use callbook_base::Line;
use callbook_dedup::NumberKey;
use serde::{Deserialize, Deserializer, Serialize};

use crate::fields::{Entry, Fields, MOST_ENTRIES, NameParts, Phone};
use crate::text::{Birthday, Note};

/// Only what changed: fields are set, lists are edited by entry, so that two phones that each add a
/// number to one contact both succeed.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// Fields with their new values.
    #[serde(skip_serializing_if = "is_default")]
    pub set: Set,
    /// Entries that come, or get new attributes.
    #[serde(skip_serializing_if = "is_default")]
    pub add: Add,
    /// Entries that go, before those of `add` come.
    #[serde(skip_serializing_if = "is_default")]
    pub remove: Remove,
}

/// New values of fields: one that is left out (`None`) stays as it is, null (`Some(None)`) clears it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // each is the field of the same name
pub struct Set {
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<Line>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nickname: Option<Option<Line>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub organization: Option<Option<Line>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub title: Option<Option<Line>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub note: Option<Option<Note>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name_parts: Option<Option<Box<NameParts>>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub birthday: Option<Option<Birthday>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub starred: Option<bool>,
}

/// Entries to add. One that is there gets the attributes given here.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // each is the list of the same name
pub struct Add {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<NewPhone>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Line>,
}

/// A number as a phone sends it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPhone {
    /// As written.
    pub number: Line,
    /// Left out: the push's for a new entry, the stored one for an entry that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Line>,
    /// `mobile`, `work` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Line>,
    /// The user's own word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Line>,
    /// The one to call.
    #[serde(default)]
    pub primary: bool,
}

/// The identities of entries to remove; one that is not there does nothing.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // each is the list of the same name
pub struct Remove {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Line>,
}

/// An edit that would make a contact larger than a book holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`MOST_ENTRIES`] in one list.
    #[error("a list of a contact has at most 100 entries")]
    Entries,
    /// More than [`LARGEST`] bytes.
    #[error("a contact has at most 256 KiB")]
    Bytes,
}

impl Edit {
    /// The fields after this edit.
    ///
    /// `region` is where numbers without one of their own were written; `key` is the key of a
    /// number and its region. A phone, which leaves keys to the server, passes one that has none.
    ///
    /// # Errors
    /// The contact would be too large.
    pub fn apply(
        &self,
        fields: &Fields,
        region: &Line,
        key: impl Fn(&Line, &Line) -> Option<NumberKey>,
    ) -> Result<Fields, TooLarge> {
        let next = self.merged(fields, region, key)?;
        if next.is_too_large() { Err(TooLarge::Bytes) } else { Ok(next) }
    }

    fn merged(
        &self,
        fields: &Fields,
        region: &Line,
        key: impl Fn(&Line, &Line) -> Option<NumberKey>,
    ) -> Result<Fields, TooLarge> {
        let Self { set, add, remove } = self;
        let mut next = fields.clone();
        put(&mut next.name, &set.name);
        put(&mut next.nickname, &set.nickname);
        put(&mut next.organization, &set.organization);
        put(&mut next.title, &set.title);
        put(&mut next.note, &set.note);
        put(&mut next.name_parts, &set.name_parts);
        put(&mut next.birthday, &set.birthday);
        put(&mut next.starred, &set.starred);
        edit(&mut next.phones, &remove.phones, &add.phones, |new, there| {
            let stored = there.filter(|_| new.region.is_none());
            let region = new.region.as_ref().unwrap_or(region);
            Phone {
                number: new.number.clone(),
                region: stored.map_or_else(|| region.clone(), |phone| phone.region.clone()),
                key: stored.map_or_else(|| key(&new.number, region), |phone| phone.key),
                r#type: new.r#type.clone(),
                label: new.label.clone(),
                primary: new.primary,
            }
        });
        edit(&mut next.emails, &remove.emails, &add.emails, |new, _| new.clone());
        edit(&mut next.urls, &remove.urls, &add.urls, |new, _| new.clone());
        edit(&mut next.addresses, &remove.addresses, &add.addresses, |new, _| new.clone());
        edit(&mut next.groups, &remove.groups, &add.groups, |new, _| new.clone());

        let Fields { phones, emails, urls, addresses, groups, .. } = &next;
        let lists = [phones.len(), emails.len(), urls.len(), addresses.len(), groups.len()];
        if lists.into_iter().any(|len| len > MOST_ENTRIES) {
            return Err(TooLarge::Entries);
        }
        Ok(next)
    }

    /// The edit that makes a contact with these fields.
    pub fn whole(fields: Fields) -> Self {
        let phones = fields.phones.into_iter().map(|phone| NewPhone {
            number: phone.number,
            region: Some(phone.region),
            r#type: phone.r#type,
            label: phone.label,
            primary: phone.primary,
        });
        Self {
            set: Set {
                name: fields.name.map(Some),
                nickname: fields.nickname.map(Some),
                organization: fields.organization.map(Some),
                title: fields.title.map(Some),
                note: fields.note.map(Some),
                name_parts: fields.name_parts.map(Some),
                birthday: fields.birthday.map(Some),
                starred: fields.starred.then_some(true),
            },
            add: Add {
                phones: phones.collect(),
                emails: fields.emails,
                urls: fields.urls,
                addresses: fields.addresses,
                groups: fields.groups,
            },
            remove: Remove::default(),
        }
    }

    /// The edit after which a contact that says `fields` says what it said at an earlier `version`, in its
    /// order. Keys are made anew.
    pub fn back_to(fields: &Fields, version: &Fields) -> Self {
        let Self { add, .. } = Self::whole(version.clone());
        let version = version.clone();
        let values = |list: &[Entry]| list.iter().map(|entry| entry.value.clone()).collect();
        Self {
            set: Set {
                name: Some(version.name),
                nickname: Some(version.nickname),
                organization: Some(version.organization),
                title: Some(version.title),
                note: Some(version.note),
                name_parts: Some(version.name_parts),
                birthday: Some(version.birthday),
                starred: Some(version.starred),
            },
            add,
            remove: Remove {
                phones: fields.phones.iter().map(|phone| phone.number.clone()).collect(),
                emails: values(&fields.emails),
                urls: values(&fields.urls),
                addresses: values(&fields.addresses),
                groups: fields.groups.clone(),
            },
        }
    }

    /// Whether it changes nothing of any contact.
    pub fn is_empty(&self) -> bool {
        is_default(self)
    }
}

fn put<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

/// What identifies an entry in its list.
trait Identity {
    fn identity(&self) -> &Line;
}

impl Identity for Phone {
    fn identity(&self) -> &Line {
        &self.number
    }
}

impl Identity for NewPhone {
    fn identity(&self) -> &Line {
        &self.number
    }
}

impl Identity for Entry {
    fn identity(&self) -> &Line {
        &self.value
    }
}

impl Identity for Line {
    fn identity(&self) -> &Line {
        self
    }
}

/// Removes, then adds: an entry that is there is replaced in its place, others come at the end.
fn edit<T: Identity, N: Identity>(
    list: &mut Vec<T>,
    remove: &[Line],
    add: &[N],
    entry: impl Fn(&N, Option<&T>) -> T,
) {
    list.retain(|there| !remove.contains(there.identity()));
    for new in add {
        match list.iter_mut().find(|there| there.identity() == new.identity()) {
            Some(there) => *there = entry(new, Some(there)),
            None => list.push(entry(new, None)),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A member that is there, even if it is null. `#[serde(default)]` says that it may be missing.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(of: D) -> Result<Option<T>, D::Error> {
    T::deserialize(of).map(Some)
}

#[cfg(test)]
mod tests {
    use callbook_dedup::number_key;
    use proptest::prelude::*;

    use super::*;

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    fn apply(edit: &str, to: &Fields) -> Fields {
        let edit: Edit = serde_json::from_str(edit).unwrap();
        let region = "US".parse().unwrap();
        edit.apply(to, &region, |number, region| number_key(number.as_str(), region.as_str()))
            .unwrap()
    }

    /// Fields before, edits in turn, fields after; what is default is left out.
    #[test]
    fn an_edit_of_nothing_is_empty_and_sends_nothing() {
        assert!(Edit::default().is_empty());
        assert_eq!(serde_json::to_string(&Edit::default()).unwrap(), "{}");
        let edit: Edit = serde_json::from_str(r#"{"set":{"name":null}}"#).unwrap();
        assert!(!edit.is_empty());
        assert_eq!(serde_json::to_string(&edit).unwrap(), r#"{"set":{"name":null}}"#);
    }

    #[test]
    fn edits_merge_by_field_and_by_entry() {
        #[track_caller]
        fn check(before: &str, edits: &[&str], after: &str) {
            let got = edits.iter().fold(fields(before), |fields, edit| apply(edit, &fields));
            assert_eq!(
                serde_json::to_string_pretty(&got).unwrap(),
                serde_json::to_string_pretty(&fields(after)).unwrap()
            );
        }
        check("{}", &[r#"{"set":{"name":"Ann"}}"#], r#"{"name":"Ann"}"#);
        check(r#"{"name":"Ann"}"#, &["{}"], r#"{"name":"Ann"}"#);
        check(r#"{"name":"Ann"}"#, &[r#"{"set":{"name":null}}"#], "{}");
        // Two phones change different fields, then the same one: the later arrival stands.
        check(
            "{}",
            &[r#"{"set":{"name":"Ann"}}"#, r#"{"set":{"title":"Dr","starred":true}}"#],
            r#"{"name":"Ann","title":"Dr","starred":true}"#,
        );
        check("{}", &[r#"{"set":{"note":"a"}}"#, r#"{"set":{"note":"b"}}"#], r#"{"note":"b"}"#);
        // Two phones each add a number.
        let (a, b) = (
            r#"{"number":"(415) 555-2671","region":"US","key":"+14155552671"}"#,
            r#"{"number":"030 123456","region":"DE","key":"+4930123456","type":"home"}"#,
        );
        check(
            "{}",
            &[
                r#"{"add":{"phones":[{"number":"(415) 555-2671"}]}}"#,
                r#"{"add":{"phones":[{"number":"030 123456","region":"DE","type":"home"}]}}"#,
            ],
            &format!(r#"{{"phones":[{a},{b}]}}"#),
        );
        // An entry that is there keeps its place, its region and key, and gets its attributes.
        check(
            &format!(r#"{{"phones":[{b},{a}]}}"#),
            &[r#"{"add":{"phones":[{"number":"030 123456","primary":true}]}}"#],
            &format!(
                r#"{{"phones":[{{"number":"030 123456","region":"DE","key":"+4930123456","primary":true}},{a}]}}"#
            ),
        );
        // Another region makes another number of the same text.
        check(
            &format!(r#"{{"phones":[{b}]}}"#),
            &[r#"{"add":{"phones":[{"number":"030 123456","region":"ZZ"}]}}"#],
            r#"{"phones":[{"number":"030 123456","region":"ZZ","key":null}]}"#,
        );
        // Removing acts first, so a number removed and added is new.
        check(
            &format!(r#"{{"phones":[{b}]}}"#),
            &[
                r#"{"remove":{"phones":["030 123456","not there"]},"add":{"phones":[{"number":"030 123456"}]}}"#,
            ],
            r#"{"phones":[{"number":"030 123456","region":"US","key":null}]}"#,
        );
        check(
            r#"{"emails":[{"value":"a@x.org","type":"home"}],"groups":["vip"]}"#,
            &[
                r#"{"add":{"emails":[{"value":"b@x.org","extra":1}],"groups":["vip","new"],"urls":[{"value":"x.org"}]}}"#,
                r#"{"remove":{"emails":["a@x.org"],"groups":["vip"]}}"#,
            ],
            r#"{"emails":[{"value":"b@x.org"}],"groups":["new"],"urls":[{"value":"x.org"}]}"#,
        );
    }

    #[test]
    fn what_is_no_field_is_refused() {
        #[track_caller]
        fn check(edit: &str) {
            assert!(serde_json::from_str::<Edit>(edit).is_err(), "{edit}");
        }
        check(r#"{"set":{"colour":"red"}}"#);
        check(r#"{"set":{"phones":[]}}"#);
        check(r#"{"set":{"starred":null}}"#);
        check(r#"{"set":{"name":5}}"#);
        check(r#"{"set":{"name":"a\u0000b"}}"#);
        check(r#"{"set":{"name":"\ud800"}}"#);
        check(r#"{"set":{"birthday":"1977-02-29"}}"#);
        check(r#"{"set":{"name_parts":{"first":"Ann"}}}"#);
        check(r#"{"add":{"phones":[{"number":4155552671}]}}"#);
        check(r#"{"add":{"phones":[{}]}}"#);
        check(r#"{"add":{"name":"Ann"}}"#);
        check(r#"{"remove":{"phones":[{"number":"1"}]}}"#);
    }

    #[test]
    fn a_contact_has_limits() {
        #[track_caller]
        fn check(edit: Edit, error: Option<TooLarge>) {
            let (nothing, region) = (Fields::default(), Line::default());
            let applied = edit.apply(&nothing, &region, |_, _| None);
            assert_eq!(applied.err(), error);
        }
        let groups = |n: u32| (0..n).map(|i| i.to_string().parse().unwrap()).collect::<Vec<Line>>();
        let long = |n: u32| {
            let values = (0..n).map(|i| format!("{i:01000}").parse().unwrap());
            values.map(|value| Entry { value, r#type: None, label: None }).collect::<Vec<_>>()
        };
        check(Edit { add: Add { groups: groups(100), ..Add::default() }, ..Edit::default() }, None);
        let add = Add { groups: groups(101), ..Add::default() };
        check(Edit { add, ..Edit::default() }, Some(TooLarge::Entries));
        let add = Add { emails: long(100), urls: long(100), ..Add::default() };
        check(Edit { add: add.clone(), ..Edit::default() }, None);
        let add = Add { addresses: long(100), ..add };
        check(Edit { add, ..Edit::default() }, Some(TooLarge::Bytes));
        // In JSON this one is six.
        let note = |n: usize| {
            let note = Some(Some("\u{1}".repeat(n).parse().unwrap()));
            Edit { set: Set { note, ..Set::default() }, ..Edit::default() }
        };
        check(note(43_000), None);
        check(note(44_000), Some(TooLarge::Bytes));
    }

    proptest! {
        /// Edits that touch different entries and fields may arrive in either order.
        #[test]
        fn edits_of_different_entries_commute(
            a in prop::collection::btree_set(0u8..8, 0..4),
            b in prop::collection::btree_set(8u8..16, 0..4),
            removed in prop::collection::btree_set(16u8..20, 0..4),
        ) {
            let lines = |of: &std::collections::BTreeSet<u8>| {
                of.iter().map(|n| n.to_string().parse().unwrap()).collect::<Vec<Line>>()
            };
            let start = Fields { groups: lines(&(16..20).collect()), ..Fields::default() };
            let x = Edit { add: Add { groups: lines(&a), ..Add::default() }, ..Edit::default() };
            let y = Edit {
                add: Add { groups: lines(&b), ..Add::default() },
                remove: Remove { groups: lines(&removed), ..Remove::default() },
                ..Edit::default()
            };
            let both = |first: &Edit, second: &Edit| {
                let region = Line::default();
                let once = first.apply(&start, &region, |_, _| None).unwrap();
                let mut groups = second.apply(&once, &region, |_, _| None).unwrap().groups;
                groups.sort();
                groups
            };
            prop_assert_eq!(both(&x, &y), both(&y, &x));
        }

        /// The same edit again changes nothing but, where it removes and adds an entry, the order.
        #[test]
        fn an_edit_is_idempotent(adds in prop::collection::vec(0u8..6, 0..6), removes in prop::collection::vec(0u8..6, 0..6)) {
            let entry = |n: &u8| Entry { value: n.to_string().parse().unwrap(), r#type: None, label: None };
            let edit = Edit {
                add: Add { emails: adds.iter().map(entry).collect(), ..Add::default() },
                remove: Remove { emails: removes.iter().map(|n| entry(n).value).collect(), ..Remove::default() },
                ..Edit::default()
            };
            let sorted = |to: &Fields| {
                let mut after = edit.apply(to, &Line::default(), |_, _| None).unwrap();
                after.emails.sort_by(|a, b| a.value.cmp(&b.value));
                after
            };
            let once = sorted(&Fields::default());
            prop_assert_eq!(sorted(&once), once);
        }
    }
}
