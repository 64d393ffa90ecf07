//! What people's tools ask of contacts (section 8): lists, one with all that is known of it, and undoing.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use callbook_base::{ContactId, Place, Rev};
use callbook_calls::wire::CallView;
use callbook_contacts::wire::{
    ChangedAnswer, ContactDetails, ContactState, ContactsAnswer, DuplicatesAnswer, RestoreRequest,
    SplitRequest, are_several_names,
};
use callbook_contacts::{Author, Edit, Held, Plan, Put, SplitError, plan_puts, rekeyed, split};
use serde::{Deserialize, Serialize};

use super::change::{Decision, change};
use super::listing::{Asked, Listing, PageQuery, Part};
use crate::app::{App, Caller, Moment, Read};
use crate::problem::Problem;
use crate::sql::people::{self, Search};
use crate::sql::push;
use crate::sql::{calls, devices::Session};

/// The query of `GET /contacts`.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Words, all of which are to be found, or digits of a number.
    q: Option<String>,
    /// Visible ones when nothing is said.
    #[serde(default)]
    state: ContactState,
    /// `cursor` of the page before; without it the first page.
    cursor: Option<String>,
    /// Rows of a page.
    #[cfg_attr(test, param(value_type = Option<u64>, minimum = 1))]
    limit: Option<String>,
}

/// `GET /contacts`: by name; deleted ones the latest first; hidden ones in the order of their ids.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<ContactsAnswer>, Problem> {
    let Listing { after, limit } = Listing::read(wanted.cursor, wanted.limit, 2)?;
    let search = Search::read(wanted.q.as_deref().unwrap_or_default());
    let after = after.as_ref().map(|after| (after.0[0].as_str(), after.0[1].as_str()));
    let page = match wanted.state {
        ContactState::Visible => people::by_name(&search, after, limit),
        ContactState::Hidden => people::hidden(&search, after.unwrap_or_default().1, limit),
        ContactState::Deleted => {
            let (rev, id) = after.unwrap_or_default();
            let before = match rev.parse().map(Rev) {
                Ok(rev) if rev <= HIGHEST_REV => rev,
                Err(_) if rev.is_empty() => HIGHEST_REV,
                _ => return Err(Listing::invalid()),
            };
            people::deleted(&search, before, id, limit)
        }
    };
    let (_, rows) = app.session(&access, vec![page]).await?;
    let rows = &rows[0];
    let mut contacts = people::read_views(rows)?;
    let has_more = contacts.len() as u64 > limit;
    contacts.truncate(limit as usize);
    let last = rows.iter().zip(&contacts).last().filter(|_| has_more);
    let cursor = last.map(|(row, contact)| {
        let sort = match wanted.state {
            ContactState::Visible => row.text("sort_name")?.to_owned(),
            ContactState::Hidden => String::new(),
            ContactState::Deleted => contact.rev.0.to_string(),
        };
        Ok::<_, Problem>(Place(vec![sort, contact.id.to_string()]).to_string())
    });
    let cursor = cursor.transpose()?;
    Ok(Json(ContactsAnswer { contacts, cursor }))
}

/// The answer to `GET /contacts/{id}`.
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[derive(Serialize)]
pub(super) struct OneAnswer {
    #[serde(flatten)]
    details: ContactDetails,
    /// Everyone's with its numbers, the latest first, at most 100.
    calls: Vec<CallView>,
}

/// `GET /contacts/{id}`.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    Part(id): Part,
) -> Result<Json<OneAnswer>, Problem> {
    let id = contact_id(&id)?;
    let calls = calls::Wanted { contact: Some(id), ..calls::Wanted::default() };
    let reads = vec![
        people::one(id),
        people::duplicates_of(id),
        people::history(id),
        calls::search(&calls, None, MOST_CALLS),
    ];
    let (_, rows) = app.session(&access, reads).await?;
    let [contact, duplicates, history, calls] = &rows[..] else {
        return Err(crate::database::DatabaseError::few_answers().into());
    };
    let (contact, updated_by_name) = people::read_one(contact)?.ok_or_else(unknown)?;
    let mut calls = calls::read_views(calls)?;
    calls.truncate(MOST_CALLS as usize);
    let duplicates = people::read_views(duplicates)?;
    let history = people::read_history(history)?;
    let details = ContactDetails { contact, updated_by_name, duplicates, history };
    Ok(Json(OneAnswer { details, calls }))
}

/// Calls that come with a contact at most; `GET /calls?contact=` has the rest.
const MOST_CALLS: u64 = 100;

/// Databases that count in doubles are exact up to there.
const HIGHEST_REV: Rev = Rev(1 << 53);

/// `POST /contacts/{id}/restore`: the contact says again what it said, with keys made anew; deleted, it
/// comes back.
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Part(id): Part,
    Read(RestoreRequest { rev }): Read<RestoreRequest>,
) -> Result<Json<ChangedAnswer>, Problem> {
    let id = contact_id(&id)?;
    let unknown_revision =
        || Problem::not_found("the contact has no such revision: GET /contacts/{id} lists them");
    if rev > HIGHEST_REV {
        return Err(unknown_revision());
    }
    let (_, rows) = app.session(&access, vec![people::revision(id, rev)]).await?;
    let version = push::read_fields(&rows[0])?.remove(&id).ok_or_else(unknown_revision)?;
    let version = rekeyed(&version, app.tables).unwrap_or(version);
    let keys: BTreeSet<_> = version.keys().into_iter().collect();
    change(&app, &access, moment, (&[id], &keys), |session, held| {
        let before = held.fields.get(&id).ok_or_else(unknown)?;
        let edit = Edit::back_to(before, &version);
        put(&app, session, held, id, edit, moment)
    })
    .await
    .map(Json)
}

/// `POST /contacts/{id}/split`: "not the same".
pub(super) async fn tell_apart(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Part(id): Part,
    Read(SplitRequest { key }): Read<SplitRequest>,
) -> Result<Json<ChangedAnswer>, Problem> {
    let id = contact_id(&id)?;
    change(&app, &access, moment, (&[id], &BTreeSet::new()), |session, held| {
        let edit = split(&held, id, key)?;
        put(&app, session, held, id, edit, moment)
    })
    .await
    .map(Json)
}

fn put(
    app: &App,
    session: &Session,
    held: Held,
    id: ContactId,
    edit: Edit,
    moment: Moment,
) -> Result<Decision<ChangedAnswer>, Problem> {
    let author = Author {
        user: session.user.id,
        device: session.device.id,
        region: Default::default(),
        floor: None,
    };
    let before = held.rev;
    let put = Put { id, created_at: None, edit };
    let Plan { changes, mut results, .. } =
        plan_puts(held, app.tables, &author, vec![put], moment.now);
    let result = results.pop().ok_or_else(unknown)?;
    if let Some(rejection) = result.rejection {
        return Err(Problem::new(StatusCode::CONFLICT, "contact_too_large", rejection.detail));
    }
    let lost = result.lost.unwrap_or_default();
    let answer = ChangedAnswer { rev: changes.rev, status: result.status, lost };
    Ok(Decision { changes: (changes.rev != before).then_some(changes), with: Vec::new(), answer })
}

/// `GET /duplicates`: two lists, which are paged together.
pub(super) async fn duplicates(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    Asked(wanted): Asked<PageQuery>,
) -> Result<Json<DuplicatesAnswer>, Problem> {
    let Listing { after, limit } = Listing::read(wanted.cursor, wanted.limit, 2)?;
    let [after_id, after_key] = match &after {
        Some(after) => [after.0[0].as_str(), after.0[1].as_str()],
        None => ["", ""],
    };
    let hidden = people::hidden(&Search::default(), after_id, limit);
    let numbers = people::claimed_by_several(after_key, limit);
    let (_, rows) = app.session(&access, vec![hidden, numbers]).await?;
    let (mut hidden, mut numbers) =
        (people::read_views(&rows[0])?, people::read_claimed(&rows[1])?);
    let has_more = [hidden.len(), numbers.len()].into_iter().any(|rows| rows as u64 > limit);
    hidden.truncate(limit as usize);
    numbers.truncate(limit as usize);
    let cursor = has_more.then(|| {
        let last_id = hidden.last().map_or(after_id.to_owned(), |it| it.id.to_string());
        let last_key = numbers.last().map_or(after_key.to_owned(), |it| it.key.to_string());
        Place(vec![last_id, last_key]).to_string()
    });
    numbers.retain(|number| are_several_names(number.claimants.iter().map(|it| it.name.as_ref())));
    Ok(Json(DuplicatesAnswer { hidden, numbers, cursor }))
}

fn contact_id(text: &str) -> Result<ContactId, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("there is no such contact")
}

impl From<SplitError> for Problem {
    fn from(error: SplitError) -> Self {
        let status = match error {
            SplitError::Unknown => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        Self::new(status, error.code(), error)
    }
}
