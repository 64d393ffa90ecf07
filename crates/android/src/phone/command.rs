//! The commands and their answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use callbook_auth::{DeviceName, Platform, Secret};
use callbook_base::{ContactId, Line, Named, Timestamp};
use callbook_calls::wire::PulledCall;
use callbook_contacts::{Edit, Fields};
use callbook_dedup::{NumberKey, number_key};
use callbook_device::call_log::CallRow;
use callbook_device::provider::{Duplicate, Given, Link};
use callbook_device::settings::Settings;
use callbook_device::{Aside, Event, Query, Status, Store};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Phone;
use crate::edge;
use crate::error::Error;

/// How many contacts a page has, if nothing is said.
const PAGE: usize = 100;

/// How many contacts whose numbers contain a number are looked at for the one that has it.
const MOST_OF_A_NUMBER: usize = 10;

/// What the app wants: which command, and what that needs. It is read flat, in one go: serde's own way for tags first
/// copies all rows of a step to find out which command they are of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    r#do: Do,
    username: Option<String>,
    password: Option<Secret>,
    device: Option<DeviceName>,
    platform: Option<Platform>,
    settings: Option<Box<Settings>>,
    phone: Option<Given>,
    calls: Option<Vec<CallRow>>,
    query: Option<String>,
    after: Option<ContactId>,
    limit: Option<usize>,
    id: Option<ContactId>,
    edit: Option<Box<Edit>>,
    number: Option<Line>,
    region: Option<Line>,
    shared: Option<bool>,
    places: Option<BTreeSet<u64>>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// The commands, each with what it needs.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    /// Signs in at the next sync: `username`, `password`, `device`, `platform`.
    SignIn,
    /// Ends the session at the server, with the next steps of a sync.
    SignOut,
    /// The region of the SIM, ISO 3166: `region`.
    SetRegion,
    Settings,
    /// `settings`
    SetSettings,
    /// Begins a sync, whatever was under way.
    Begin,
    /// Goes on with it: with `phone` or `calls` where it asked for that.
    Step,
    Status,
    /// Contacts of the book whose names, employers or numbers have every word of `query`, after the contact
    /// `after`, at most `limit`.
    Contacts,
    /// `id`
    Contact,
    /// `edit`
    Create,
    /// `id`, `edit`
    Edit,
    /// `id`
    Delete,
    /// Calls of the team that this phone has, the latest first, from the time `from` on, before `to`, at most `limit`.
    Calls,
    /// Whether everybody who has a number shows it: `number`, `region`, `shared`.
    Share,
    Duplicates,
    /// `id`
    UndoDuplicate,
    /// `id`
    ForgetDuplicate,
    /// Contacts of the phone that cannot be in the book.
    Unfit,
    /// Contacts of the book that the phone did not take in the last sync; the next tries again.
    NotTaken,
    Aside,
    /// `places`
    SendAside,
    /// `places`
    DropAside,
    ConfirmDeletes,
    /// The deletes were a mistake: what they took comes back.
    DropDeletes,
    /// What happened in syncing, the latest last.
    Log,
    /// What the library has told the phone's log since the process began, the latest last.
    Told,
    /// Pulls the whole book again, and keeps what nobody has pushed.
    Rebuild,
}

impl Command {
    /// Whether it changes nothing, so that it may be asked while a request is under way.
    pub(crate) fn is_query(&self) -> bool {
        use Do::{
            Aside, Calls, Contact, Contacts, Duplicates, Log, NotTaken, Settings, Status, Told,
            Unfit,
        };
        matches!(
            self.r#do,
            Settings
                | Status
                | Contacts
                | Contact
                | Calls
                | Duplicates
                | Unfit
                | NotTaken
                | Aside
                | Log
                | Told
        )
    }
}

/// What a command needs, or that it lacks it.
macro_rules! need {
    ($command:ident.$field:ident) => {
        $command.$field.ok_or(Error::Lacks(stringify!($field)))?
    };
}

#[derive(Serialize)]
struct Done {}

#[derive(Serialize)]
struct Contacts {
    contacts: Vec<Contact>,
    /// Where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ContactId>,
}

#[derive(Serialize)]
struct Contact {
    id: ContactId,
    #[serde(flatten)]
    fields: Fields,
}

/// A call as this phone has it.
#[derive(Serialize)]
struct MirroredCall {
    #[serde(flatten)]
    pulled: PulledCall,
    /// Whether it is of who has signed in here.
    own: bool,
    /// Who of the book has its number.
    contact: Option<Named>,
}

impl Phone {
    pub(super) fn run_command(&mut self, command: Command) -> Result<Box<RawValue>, Error> {
        let (engine, chance) = (&mut self.engine, &mut self.chance);
        match command.r#do {
            Do::SignIn => engine.sign_in(
                need!(command.username),
                need!(command.password),
                need!(command.device),
                need!(command.platform),
            ),
            Do::SignOut => engine.sign_out(),
            Do::SetRegion => engine.set_region(need!(command.region))?,
            Do::Settings => return Ok(answer::<Settings>(engine.settings())),
            Do::SetSettings => engine.set_settings(*need!(command.settings))?,
            Do::Begin => return Ok(answer(&self.begin()?)),
            Do::Step => return Ok(answer(&self.step(command.phone, command.calls)?)),
            Do::Status => return Ok(answer::<Status>(&engine.status()?)),
            Do::Contacts => {
                let (query, limit) =
                    (command.query.unwrap_or_default(), command.limit.unwrap_or(PAGE));
                return Ok(answer(&self.contacts(&query, command.after, limit)?));
            }
            Do::Contact => {
                let id = need!(command.id);
                let fields = engine.contact(id)?;
                return Ok(answer(&fields.map(|fields| Contact { id, fields })));
            }
            Do::Calls => {
                let from = command.from.unwrap_or(Timestamp::MIN);
                let to = command.to.unwrap_or(Timestamp::MAX);
                return Ok(answer(&self.calls(from, to, command.limit.unwrap_or(PAGE))?));
            }
            Do::Create => {
                let id = engine.create(*need!(command.edit), edge::now(), chance)?;
                return Ok(answer(&id));
            }
            Do::Edit => engine.edit(need!(command.id), *need!(command.edit), chance)?,
            Do::Delete => engine.delete(need!(command.id), chance)?,
            Do::Share => {
                let (number, region) = (need!(command.number), need!(command.region));
                let shared = need!(command.shared);
                if let Some(key) = number_key(number.as_str(), region.as_str()) {
                    engine.share_number(key, shared)?;
                }
            }
            Do::Duplicates => {
                return Ok(answer::<Vec<&Duplicate>>(&engine.duplicates().collect()));
            }
            Do::UndoDuplicate => engine.undo_duplicate(need!(command.id))?,
            Do::ForgetDuplicate => engine.forget_duplicate(need!(command.id))?,
            Do::Unfit => return Ok(answer::<Vec<&Link>>(&engine.unfit().collect())),
            Do::NotTaken => return Ok(answer::<[ContactId]>(engine.not_taken())),
            Do::Aside => return Ok(answer::<[Aside]>(engine.aside())),
            Do::SendAside => {
                let places = need!(command.places);
                engine.send_aside(|aside| places.contains(&aside.place), chance)?;
            }
            Do::DropAside => {
                let places = need!(command.places);
                engine.drop_aside(|aside| places.contains(&aside.place))?;
            }
            Do::ConfirmDeletes => engine.confirm_deletes(chance)?,
            Do::DropDeletes => engine.drop_aside(Aside::is_unconfirmed_delete)?,
            Do::Log => return Ok(answer::<Vec<Event>>(&engine.store().events()?)),
            Do::Told => return Ok(answer(&crate::log::lines())),
            Do::Rebuild => engine.rebuild()?,
        }
        Ok(answer(&Done {}))
    }

    fn contacts(
        &self,
        query: &str,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Contacts, Error> {
        let limit = limit.max(1);
        let found = self.engine.find(&Query::new(query), after, limit)?;
        let contacts = found.into_iter().map(|(id, fields)| Contact { id, fields });
        let contacts: Vec<_> = contacts.collect();
        let after = contacts.last().filter(|_| contacts.len() >= limit).map(|contact| contact.id);
        Ok(Contacts { contacts, after })
    }
}

impl Phone {
    fn calls(
        &self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<MirroredCall>, Error> {
        let store = self.engine.store();
        let user = store.state()?.user;
        // Many calls are with few numbers.
        let mut known = BTreeMap::<_, Option<Named>>::new();
        let with_contact = |pulled: PulledCall| {
            let contact = match pulled.key.map(|key| (key, known.entry(key))) {
                None => None,
                Some((_, Entry::Occupied(known))) => known.get().clone(),
                Some((key, Entry::Vacant(place))) => place.insert(self.has_number(key)?).clone(),
            };
            Ok::<_, Error>(MirroredCall { own: user == Some(pulled.user), contact, pulled })
        };
        store.latest_calls(from, to, limit)?.into_iter().map(with_contact).collect()
    }

    /// Who shows a number; of several that share it, one.
    fn has_number(&self, key: NumberKey) -> Result<Option<Named>, Error> {
        let found = self.engine.find(&Query::new(&key.to_string()), None, MOST_OF_A_NUMBER)?;
        let shows = |fields: &Fields| fields.phones.iter().any(|phone| phone.key == Some(key));
        let contact = found.into_iter().find(|(_, fields)| shows(fields));
        Ok(contact.map(|(id, fields)| Named { id, name: fields.name }))
    }
}

fn answer<T: Serialize + ?Sized>(answer: &T) -> Box<RawValue> {
    to_raw_value(answer).expect("an answer has no maps with other keys than texts")
}
