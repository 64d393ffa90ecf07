//! The commands and their answers.

use std::collections::BTreeSet;

use callbook_auth::{DeviceName, Platform, Secret};
use callbook_base::{ContactId, Line};
use callbook_contacts::{Edit, Fields};
use callbook_dedup::number_key;
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

/// What the app wants.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Command {
    /// Signs in at the next sync.
    SignIn {
        username: String,
        password: Secret,
        device: DeviceName,
        platform: Platform,
    },
    /// Ends the session at the server, with the next steps of a sync.
    SignOut,
    /// The region of the SIM, ISO 3166.
    SetRegion {
        region: Line,
    },
    Settings,
    SetSettings {
        settings: Box<Settings>,
    },
    /// Begins a sync, whatever was under way.
    Begin,
    /// Goes on with it.
    Step {
        #[serde(default)]
        phone: Option<Given>,
        #[serde(default)]
        calls: Option<Vec<CallRow>>,
    },
    Status,
    /// Contacts of the book whose names, employers or numbers have every word of `query`.
    Contacts {
        #[serde(default)]
        query: String,
        #[serde(default)]
        after: Option<ContactId>,
        #[serde(default)]
        limit: Option<usize>,
    },
    Contact {
        id: ContactId,
    },
    Create {
        edit: Box<Edit>,
    },
    Edit {
        id: ContactId,
        edit: Box<Edit>,
    },
    Delete {
        id: ContactId,
    },
    /// Whether everybody who has a number shows it.
    Share {
        number: Line,
        region: Line,
        shared: bool,
    },
    Duplicates,
    UndoDuplicate {
        id: ContactId,
    },
    ForgetDuplicate {
        id: ContactId,
    },
    /// Contacts of the phone that cannot be in the book.
    Unfit,
    Aside,
    SendAside {
        places: BTreeSet<u64>,
    },
    DropAside {
        places: BTreeSet<u64>,
    },
    ConfirmDeletes,
    /// The deletes were a mistake: what they took comes back.
    DropDeletes,
    /// What happened in syncing, the latest last.
    Log,
    /// Pulls the whole book again, and keeps what nobody has pushed.
    Rebuild,
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

impl Phone {
    pub(super) fn run_command(&mut self, command: Command) -> Result<Box<RawValue>, Error> {
        let (engine, chance) = (&mut self.engine, &mut self.chance);
        match command {
            Command::SignIn { username, password, device, platform } => {
                engine.sign_in(username, password, device, platform);
            }
            Command::SignOut => engine.sign_out(),
            Command::SetRegion { region } => engine.set_region(region)?,
            Command::Settings => return Ok(answer::<Settings>(engine.settings())),
            Command::SetSettings { settings } => engine.set_settings(*settings)?,
            Command::Begin => return Ok(answer(&self.begin()?)),
            Command::Step { phone, calls } => return Ok(answer(&self.step(phone, calls)?)),
            Command::Status => return Ok(answer::<Status>(&engine.status()?)),
            Command::Contacts { query, after, limit } => {
                return Ok(answer(&self.contacts(&query, after, limit.unwrap_or(PAGE))?));
            }
            Command::Contact { id } => {
                let fields = engine.contact(id)?;
                return Ok(answer(&fields.map(|fields| Contact { id, fields })));
            }
            Command::Create { edit } => {
                let id = engine.create(*edit, edge::now(), chance)?;
                return Ok(answer(&id));
            }
            Command::Edit { id, edit } => engine.edit(id, *edit, chance)?,
            Command::Delete { id } => engine.delete(id, chance)?,
            Command::Share { number, region, shared } => {
                if let Some(key) = number_key(number.as_str(), region.as_str()) {
                    engine.share_number(key, shared)?;
                }
            }
            Command::Duplicates => {
                return Ok(answer::<Vec<&Duplicate>>(&engine.duplicates().collect()));
            }
            Command::UndoDuplicate { id } => engine.undo_duplicate(id)?,
            Command::ForgetDuplicate { id } => engine.forget_duplicate(id)?,
            Command::Unfit => return Ok(answer::<Vec<&Link>>(&engine.unfit().collect())),
            Command::Aside => return Ok(answer::<[Aside]>(engine.aside())),
            Command::SendAside { places } => {
                engine.send_aside(|aside| places.contains(&aside.place), chance)?;
            }
            Command::DropAside { places } => {
                engine.drop_aside(|aside| places.contains(&aside.place))?;
            }
            Command::ConfirmDeletes => engine.confirm_deletes(chance)?,
            Command::DropDeletes => engine.drop_aside(Aside::is_unconfirmed_delete)?,
            Command::Log => return Ok(answer::<Vec<Event>>(&engine.store().events()?)),
            Command::Rebuild => engine.rebuild()?,
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

fn answer<T: Serialize + ?Sized>(answer: &T) -> Box<RawValue> {
    to_raw_value(answer).expect("an answer has no maps with other keys than texts")
}
