//! Puts that no phone has counted: bringing back what a contact said, telling two apart, importing cards
//! (rules 3.4, 3.7 and 3.8 and section 8 of the protocol). Each is planned as one of a push is: the same
//! draft, the same stamps.

use std::collections::BTreeMap;

use callbook_base::{ContactId, DeviceId, Line, Rev, Timestamp, UserId};
use callbook_dedup::{Claim, NumberKey, Tables};

use super::{Device, Facts, Held, Plan, plan};
use crate::clock::Floor;
use crate::edit::{Edit, Remove};
use crate::op::{Change, Kind, Op, OpId, Push, PushedOp, Target};

/// A put that no phone has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Of which contact.
    pub id: ContactId,
    /// For a new one: when it was made, as far as its author is believed.
    pub created_at: Option<Timestamp>,
    /// What changes.
    pub edit: Edit,
}

/// Whose puts they are.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// Where numbers without a region of their own were written.
    pub region: Line,
    /// From when on the times of new contacts are believed; without one every new contact is of now.
    pub floor: Option<Floor>,
}

/// Plans puts, one after another. Its results are theirs, in order, as far as the plan goes: one that
/// would load or write too much stops before its end, and what the book remembers of the device is
/// nobody's.
pub fn plan_puts(
    held: Held,
    tables: Tables,
    author: &Author,
    puts: Vec<Put>,
    now: Timestamp,
) -> Plan {
    let Author { user, device: id, region, floor } = author.clone();
    let op_id: OpId = "put".parse().expect("three letters are an op id");
    let ops = puts.into_iter().zip(1..).map(|(put, op_seq)| {
        let Put { id, created_at, edit } = put;
        let change = Change::Put { created_at, edit: Box::new(edit) };
        PushedOp {
            op_seq,
            op_id: op_id.clone(),
            target: Some(Target { id, kind: Kind::Put }),
            op: Ok(Op { id, base_rev: Rev(0), change }),
        }
    });
    let push = Push {
        also_sent: Vec::new(),
        epoch: None,
        region,
        sent_at: now.max(held.clock), // its clock is ours
        complete: None,
        confirm_deletes: false,
        ops: ops.collect(),
    };
    let facts = Facts {
        held,
        tables,
        user,
        id,
        lineage: BTreeMap::new(),
        device: Device { floor, ..Device::default() },
        edited_by_others: BTreeMap::new(),
    };
    plan(&facts, &push, now)
        .expect("ops that are counted from 1 follow those of a device without any")
}

/// Why two contacts are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// No live contact has the id.
    #[error("there is no such contact")]
    Unknown,
    /// Another has it, or nobody.
    #[error("the contact does not own this number: split the one that does")]
    NotOwner,
    /// Nobody would get the number.
    #[error("no other contact has this number")]
    NobodyElse,
    /// Everyone who has the number shows it.
    #[error("the number is shared: everyone who has it shows it already")]
    Shared,
}

impl SplitError {
    /// The stable `code` on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "not_found",
            Self::NotOwner => "not_owner",
            Self::NobodyElse => "no_other_claimant",
            Self::Shared => "number_shared",
        }
    }
}

/// The edit by which the owner of a key gives it up to the next claimant: "these two are not the same".
///
/// # Errors
/// It does not own the key alone, or nobody else claims it.
pub fn split(held: &Held, id: ContactId, key: NumberKey) -> Result<Edit, SplitError> {
    let is_live = held.contacts.get(&id).is_some_and(|contact| contact.state.is_live());
    let fields = held.fields.get(&id).filter(|_| is_live).ok_or(SplitError::Unknown)?;
    let claims = held.claims.iter().filter(|(claimed, _)| *claimed == key).map(|(_, claim)| claim);
    let mut claims: Vec<&Claim> = claims.collect();
    claims.sort();
    match claims[..] {
        [owner, ..] if owner.contact != id => Err(SplitError::NotOwner),
        [] => Err(SplitError::NotOwner),
        _ if held.shared.contains(&key) => Err(SplitError::Shared),
        [_] => Err(SplitError::NobodyElse),
        _ => {
            let numbers = fields.phones.iter().filter(|phone| phone.key == Some(key));
            let phones = numbers.map(|phone| phone.number.clone()).collect();
            Ok(Edit { remove: Remove { phones, ..Remove::default() }, ..Edit::default() })
        }
    }
}
