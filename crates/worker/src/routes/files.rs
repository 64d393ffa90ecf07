//! The book as files: vCards in and out, tables of contacts and calls (section 8). Files are made and read
//! piece by piece, so that a book of any size passes through the memory and the limits of a Worker.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callbook_auth::{Access, Act, Role};
use callbook_base::{ContactId, Line, Timestamp};
use callbook_contacts::vcard::{Cards, Version, read_card, write_card};
use callbook_contacts::wire::{ImportAnswer, RejectedCard, Status};
use callbook_contacts::{Author, Plan, Put, csv, plan_puts};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::calls::Wanted as WantedCalls;
use super::change::{Decision, change};
use super::listing::Asked;
use crate::app::{App, Caller, Moment};
use crate::problem::Problem;
use crate::sql::audit::{self, Entry};
use crate::sql::{calls, people};

/// Cards that are written at once, and bytes of them.
const CARDS: usize = 500;
const CARD_BYTES: usize = 500_000;

/// The most bytes of a file that is imported.
const LARGEST_FILE: u64 = 64 << 20;

/// Rows of a file that are read at once.
const ROWS: u64 = 1_000;

/// The query of `POST /contacts/import`.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct ImportQuery {
    /// Where numbers were written, ISO 3166.
    region: Option<Line>,
    /// The first card to look at: `next` of the answer before.
    from: Option<u64>,
}

/// `POST /contacts/import`: vCards. Each is a put; those that an earlier request has taken are unchanged.
pub(super) async fn import(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Asked(query): Asked<ImportQuery>,
    request: Request,
) -> Result<Json<ImportAnswer>, Problem> {
    app.session(&access, Vec::new()).await?;
    let region = query.region.unwrap_or_default();
    let mut import = Import {
        app: &app,
        access: &access,
        moment,
        region,
        from: query.from.unwrap_or(0),
        cards: 0,
        piece: Vec::new(),
        bytes: 0,
        pieces: 0,
        answer: ImportAnswer::default(),
    };
    let (mut body, mut cards, mut read) = (request.into_body(), Cards::default(), 0);
    loop {
        let frame = body.frame().await.transpose();
        let frame = frame.map_err(|_| import.stopped("the file did not arrive whole"))?;
        let is_last = frame.is_none();
        match frame.map(|frame| frame.into_data()) {
            Some(Ok(bytes)) => {
                read += bytes.len() as u64;
                if read > LARGEST_FILE {
                    return Err(import.stopped("a file has at most 64 MiB: cut it in two"));
                }
                cards.feed(&bytes);
            }
            Some(Err(_)) => {} // trailers
            None => cards.end(),
        }
        while let Some(card) = cards.next_card().map_err(|error| import.stopped(error))? {
            if !import.take(&card).await? {
                return Ok(Json(import.answer));
            }
        }
        if is_last {
            break;
        }
    }
    if cards.is_within_a_card() {
        import.reject("cut_off", "the card has no END:VCARD: the file is cut off");
    }
    if import.cards == 0 {
        let detail = "there is no vCard in what was sent: a card begins with BEGIN:VCARD";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "no_cards", detail));
    }
    import.write().await?;
    Ok(Json(import.answer))
}

/// A file that is being imported.
struct Import<'a> {
    app: &'a App,
    access: &'a Access,
    moment: Moment,
    region: Line,
    /// Cards before this one were taken by an earlier request.
    from: u64,
    /// How many have been seen.
    cards: u64,
    /// What has been read and not written, with each card's place in the file.
    piece: Vec<(u64, Put)>,
    bytes: usize,
    /// How many pieces have been written.
    pieces: usize,
    answer: ImportAnswer,
}

impl Import<'_> {
    /// Takes the next card; whether there is room for more.
    async fn take(&mut self, card: &[u8]) -> Result<bool, Problem> {
        if self.cards < self.from {
            self.cards += 1;
            return Ok(true);
        }
        match read_card(card) {
            Err(error) => self.reject(error.code(), &error.to_string()),
            Ok(card) => {
                self.bytes += serde_json::to_string(&card.edit).map_or(0, |json| json.len());
                let put = Put { id: card.id, created_at: card.created_at, edit: card.edit };
                self.piece.push((self.cards, put));
                self.cards += 1;
            }
        }
        if self.piece.len() < CARDS && self.bytes < CARD_BYTES {
            return Ok(true);
        }
        self.write().await?;
        if self.pieces >= self.app.settings.pieces_of_an_import {
            self.answer.next = Some(self.cards);
        }
        Ok(self.answer.next.is_none())
    }

    fn reject(&mut self, code: &str, detail: &str) {
        let (index, code, detail) = (self.cards, code.to_owned(), detail.to_owned());
        self.answer.rejected.push(RejectedCard { index, code, detail });
        self.cards += 1;
    }

    /// What goes wrong with the file as a whole. What was written before it stays.
    fn stopped(&self, detail: impl ToString) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_file", detail).with("next", self.next())
    }

    /// The first card that has not been written.
    fn next(&self) -> u64 {
        self.piece.first().map_or(self.cards, |(place, _)| *place)
    }

    /// Writes what has been read, in one change of the book, or in several where memory ends.
    async fn write(&mut self) -> Result<(), Problem> {
        while !self.piece.is_empty() {
            let puts: Vec<Put> = self.piece.iter().map(|(_, put)| put.clone()).collect();
            let ids: BTreeSet<ContactId> = puts.iter().map(|put| put.id).collect();
            let ids: Vec<ContactId> = ids.into_iter().collect();
            let tables = self.app.tables;
            let phones = puts.iter().flat_map(|put| &put.edit.add.phones);
            let keys = phones.filter_map(|phone| {
                let region = phone.region.as_ref().unwrap_or(&self.region);
                (tables.key)(phone.number.as_str(), region.as_str())
            });
            let keys: BTreeSet<_> = keys.collect();
            let (moment, access, region) = (self.moment, self.access, &self.region);
            let is_first = self.pieces == 0;
            let results = change(self.app, access, moment, (&ids, &keys), |session, held| {
                let is_admin = session.user.role == Role::Admin;
                let author = Author {
                    user: session.user.id,
                    device: session.device.id,
                    region: region.clone(),
                    floor: is_admin.then_some(Timestamp::MIN),
                };
                let before = held.rev;
                let Plan { changes, results, .. } =
                    plan_puts(held, tables, &author, puts.clone(), moment.now);
                let entry = Entry::by(Act::Imported, access);
                let with = is_first.then(|| audit::record(&entry, moment)).into_iter().collect();
                let answer = (changes.rev, results);
                let changes = (changes.rev != before).then_some(changes);
                Ok(Decision { changes, with, answer })
            });
            let (rev, results) = match results.await {
                // What has been written is told, and the rest comes with another request.
                Err(problem) if !is_first => {
                    tracing::warn!(%problem, "an import stops before its end");
                    self.answer.next = Some(self.next());
                    self.piece.clear();
                    return Ok(());
                }
                results => results?,
            };
            self.pieces += 1;
            self.answer.rev = rev;
            for ((index, _), result) in self.piece.drain(..results.len()).zip(&results) {
                match result.status {
                    Status::Applied => self.answer.imported += 1,
                    Status::Hidden => self.answer.hidden += 1,
                    Status::Unchanged => self.answer.unchanged += 1,
                    _ => {
                        let rejection = result.rejection.clone();
                        let detail = rejection.map_or(String::new(), |rejection| rejection.detail);
                        let code = "contact_too_large".to_owned();
                        self.answer.rejected.push(RejectedCard { index, code, detail });
                    }
                }
            }
        }
        self.bytes = 0;
        Ok(())
    }
}

/// The query of `GET /contacts.vcf`.
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[derive(Deserialize)]
pub(super) struct VcfQuery {
    /// 3.0 when nothing is said, or 4.0.
    version: Option<String>,
}

/// `GET /contacts.vcf`: what phones show.
pub(super) async fn vcf(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Asked(query): Asked<VcfQuery>,
) -> Result<Response, Problem> {
    let version: Version = match query.version.map(|version| version.parse()).transpose() {
        Ok(version) => version.unwrap_or_default(),
        Err(error) => return Err(Problem::invalid_request(error)),
    };
    begin(&app, &access, moment).await?;
    let pages = pages(app, String::new(), move |app, after| async move {
        let rows = app.batch(vec![people::export(&after, ROWS)]).await?;
        let contacts = people::read_export(&rows[0])?;
        let last = contacts.last().map(|contact| contact.id.to_string());
        let cards = contacts.iter().map(|contact| {
            let times = (contact.created_at, contact.updated_at);
            write_card(contact.id, &contact.fields, times, version)
        });
        Ok((cards.collect::<String>().into_bytes(), last))
    });
    Ok(file("text/vcard; charset=utf-8", "contacts.vcf", pages))
}

/// `GET /contacts.csv`: what phones show.
pub(super) async fn contacts_csv(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
) -> Result<Response, Problem> {
    begin(&app, &access, moment).await?;
    let pages = pages(app, String::new(), |app, after| async move {
        let rows = app.batch(vec![people::export(&after, ROWS)]).await?;
        let contacts = people::read_export(&rows[0])?;
        let last = contacts.last().map(|contact| contact.id.to_string());
        let table = csv::table(after.is_empty(), &contacts);
        Ok((table, last))
    });
    Ok(file("text/csv; charset=utf-8; header=present", "contacts.csv", pages))
}

/// `GET /calls.csv`, with the filters of `GET /calls`.
pub(super) async fn calls_csv(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Asked(wanted): Asked<WantedCalls>,
) -> Result<Response, Problem> {
    begin(&app, &access, moment).await?;
    let wanted = wanted.search();
    let pages = pages(app, None::<(Timestamp, String)>, move |app, after| {
        let place = after.as_ref().map(|(at, id)| (*at, id.as_str()));
        let page = calls::search(&wanted, place, ROWS);
        async move {
            let rows = app.batch(vec![page]).await?;
            let mut calls = calls::read_views(&rows[0])?;
            let has_more = calls.len() as u64 > ROWS;
            calls.truncate(ROWS as usize);
            let last = calls.last().filter(|_| has_more);
            let last = last.map(|last| Some((last.call.call.timestamp, last.call.id.to_string())));
            Ok((callbook_calls::csv::table(after.is_none(), &calls), last))
        }
    });
    Ok(file("text/csv; charset=utf-8; header=present", "calls.csv", pages))
}

/// A body that is made page by page, each from where the one before it ended.
fn pages<A, F, P>(app: Arc<App>, start: A, page: F) -> Body
where
    A: Send + 'static,
    F: Fn(Arc<App>, A) -> P + Send + 'static,
    P: Future<Output = Result<(Vec<u8>, Option<A>), Problem>> + Send + 'static,
{
    let next = move |after: Option<A>| {
        let page = after.map(|after| page(app.clone(), after));
        async move {
            let Some(page) = page else { return Ok(None) };
            match page.await {
                Ok((bytes, next)) => Ok(Some((Bytes::from(bytes), next))),
                Err(problem) => {
                    tracing::warn!(%problem, "a file ends before its end");
                    Err(problem)
                }
            }
        }
    };
    Body::from_stream(futures_util::stream::try_unfold(Some(start), next))
}

fn file(kind: &'static str, name: &'static str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers: [(HeaderName, String); 2] =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
}

/// Who takes the book out as a file is let in, and it is remembered.
async fn begin(app: &App, access: &Access, moment: Moment) -> Result<(), Problem> {
    let (session, _) = app.session(access, Vec::new()).await?;
    let entry = Entry::by(Act::Exported, access);
    let seen = crate::sql::devices::guard(session.device.id, moment.now);
    app.batch(vec![seen, audit::record(&entry, moment)]).await?;
    Ok(())
}
