//! The `replay` build, for tests: each request brings its time, its chance, its release's numbering tables, its
//! book, and what becomes of its batches, so that a run of the simulator can be had again, batch by batch, on
//! Cloudflare's runtime. It also lets whoever asks at the database. It runs only where [`ALLOWED`] is bound, which
//! nothing that is deployed has.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use callbook_auth::PasswordCost;
use callbook_base::Timestamp;
use callbook_dedup::Tables;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower::ServiceExt;
use worker::send::{SendFuture, SendWrapper};
use worker::{Delay, Env, HttpRequest};

use super::d1::D1;
use crate::database::{BatchFuture, Database, DatabaseError, Rows, Statement, Value};
use crate::far::Fate;
use crate::older::OLDER;
use crate::{App, Moment, router};

/// What `dev-workerd --replay` binds.
const ALLOWED: &str = "REPLAY";

/// What Cloudflare says when an instance has died at work.
const DIED: &str = "<html>Error 1101";

/// A request that waits for longer is not the one of the trace.
const LONGEST_WAIT_MS: u32 = 20_000;

thread_local! {
    /// The batch of the run that is next.
    static TURN: Cell<u64> = const { Cell::new(0) };
}

/// What a request brings.
struct Asked {
    moment: Moment,
    tables: Tables,
    book: String,
    batches: VecDeque<(u64, Fate)>,
    dies: bool,
}

impl Asked {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let now = Timestamp::from_millis(text("replay-now")?.parse().ok()?);
        let hex = text("replay-seed")?;
        let byte = |n: usize| u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok();
        let mut seed = [0; 32];
        for (n, place) in seed.iter_mut().enumerate() {
            *place = byte(n)?;
        }
        let tables = match text("replay-tables") {
            Some(version) => {
                [OLDER, Tables::CURRENT].into_iter().find(|it| it.version == version)?
            }
            None => Tables::CURRENT,
        };
        let batch = |text: &str| {
            let (turn, fate) = text.split_once(' ')?;
            Some((turn.parse().ok()?, Fate::from_str(fate).ok()?))
        };
        let batches = text("replay-batches").unwrap_or_default();
        let batches = batches.split(',').filter(|text| !text.is_empty()).map(batch);
        Some(Self {
            moment: Moment { now, seed },
            tables,
            book: text("replay-book").unwrap_or(super::BOOK).to_owned(),
            batches: batches.collect::<Option<_>>()?,
            dies: text("replay-dies").is_some(),
        })
    }
}

/// D1 with the fates of one request's batches; without any left, each arrives.
struct Replayed {
    d1: D1,
    left: SendWrapper<RefCell<VecDeque<(u64, Fate)>>>,
    dies: bool,
    cost: SendWrapper<Cell<Cost>>,
}

/// What a request has made D1 do.
#[derive(Clone, Copy, Default, Serialize)]
struct Cost {
    statements: u64,
    rows_read: u64,
    rows_written: u64,
}

impl Replayed {
    fn new(d1: D1, left: VecDeque<(u64, Fate)>, dies: bool) -> Self {
        let left = SendWrapper::new(RefCell::new(left));
        Self { d1, left, dies, cost: SendWrapper::default() }
    }

    async fn ask(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let mut cost = self.cost.get();
        cost.statements += statements.len() as u64;
        let answer = self.d1.batch(statements).await;
        for (read, written) in answer.iter().flatten().map(|rows| rows.billed) {
            cost.rows_read += read;
            cost.rows_written += written;
        }
        self.cost.set(cost);
        answer
    }

    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let next = self.left.borrow_mut().pop_front();
        let died = || DatabaseError::new("D1_ERROR: the instance has died");
        let Some((turn, fate)) = next else {
            if self.dies {
                return Err(died());
            }
            return self.ask(statements).await;
        };
        wait_for(turn).await?;
        let answer = match fate.before() {
            Ok(()) => fate.after(self.ask(statements).await),
            Err(error) => Err(error),
        };
        TURN.set(turn + 1);
        if self.dies && self.left.borrow().is_empty() {
            return Err(died());
        }
        answer
    }
}

impl Database for Replayed {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        Box::pin(SendFuture::new(self.run(statements)))
    }
}

/// Lets other requests work until it is this batch's turn; their batches are those that the trace has.
async fn wait_for(turn: u64) -> Result<(), DatabaseError> {
    for _ in 0..LONGEST_WAIT_MS {
        if TURN.get() == turn {
            return Ok(());
        }
        Delay::from(Duration::from_millis(1)).await;
    }
    Err(DatabaseError::new(format!("the turn {turn} never comes: it is that of {}", TURN.get())))
}

pub(super) async fn fetch(request: HttpRequest, env: Env) -> Response<Body> {
    if env.var(ALLOWED).is_err() {
        let text = "this is the build for tests, which is not to be deployed";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    match answer(request, &env).await {
        Some(response) => response,
        None => (StatusCode::BAD_REQUEST, "the replay headers cannot be read").into_response(),
    }
}

async fn answer(mut request: HttpRequest, env: &Env) -> Option<Response<Body>> {
    let Asked { moment, tables, book, batches, dies } = Asked::read(request.headers())?;
    let d1 = || env.d1(&book).ok().map(D1::new);
    let replayed = Arc::new(Replayed::new(d1()?, batches, dies));
    let mut app = App { tables, password_cost: PasswordCost::SIMULATED, ..super::app(env).ok()? };
    app.database = replayed.clone();

    let path = request.uri().path().to_owned();
    let response = match path.strip_prefix("/replay/") {
        Some(act) => {
            let body = to_bytes(Body::new(request.into_body()), usize::MAX).await.ok()?;
            let body = std::str::from_utf8(&body).ok()?;
            match act {
                "batch" => batch(body, &*replayed).await?,
                "turn" => {
                    TURN.set(body.parse().ok()?);
                    ().into_response()
                }
                "purge" => {
                    app.tombstones_kept = Duration::from_secs(body.parse().ok()?);
                    match app.purge(moment).await {
                        Ok(contacts) => contacts.to_string().into_response(),
                        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                    }
                }
                "run" => {
                    let Run { turn, statements } = serde_json::from_str(body).ok()?;
                    wait_for(turn).await.ok()?;
                    let statements = statements.into_iter().map(Statement::from).collect();
                    let ran = d1()?.batch(statements).await;
                    TURN.set(turn + 1);
                    match ran {
                        Ok(_) => ().into_response(),
                        Err(error) => {
                            (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
                        }
                    }
                }
                "backup" | "restore" => {
                    let turn: u64 = body.parse().ok()?;
                    wait_for(turn).await.ok()?;
                    app.database = Arc::new(d1()?);
                    keep(act == "backup", &app, moment).await.ok()?;
                    TURN.set(turn + 1);
                    ().into_response()
                }
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
        None => {
            request.extensions_mut().insert(moment);
            // The runtime says where the suite is, unless the suite says where a request comes from.
            let address = super::address(&request).filter(|address| !address.0.is_loopback());
            if let Some(address) = address {
                request.extensions_mut().insert(address);
            }
            match router(app).oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    };
    if replayed.dies {
        // At a batch or behind the last, with the answer in hand.
        return Some((StatusCode::INTERNAL_SERVER_ERROR, DIED).into_response());
    }
    let cost = json!(replayed.cost.get()).to_string();
    Some(([("replay-cost", cost)], response).into_response())
}

/// A statement of whoever asks.
#[derive(Deserialize)]
struct Given {
    sql: String,
    params: Vec<Value>,
}

impl From<Given> for Statement {
    fn from(Given { sql, params }: Given) -> Self {
        Self { params, ..Self::new(leaked(sql)) }
    }
}

/// Statements of whoever keeps the book, and when they come.
#[derive(Deserialize)]
struct Run {
    turn: u64,
    statements: Vec<Given>,
}

/// Runs statements, and tells what D1 says.
async fn batch(body: &str, database: &dyn Database) -> Option<Response<Body>> {
    let given: Vec<Given> = serde_json::from_str(body).ok()?;
    let answer = match database.batch(given.into_iter().map(Statement::from).collect()).await {
        Ok(rows) => json!({ "rows": rows }),
        Err(error) => json!({ "error": error.to_string() }),
    };
    Some(answer.to_string().into_response())
}

/// Copies all tables aside, or back: then the book is told that it was restored.
async fn keep(aside: bool, app: &App, moment: Moment) -> Result<(), String> {
    const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'
        AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'kept_*'";
    let tables = app.database.batch(vec![Statement::new(TABLES)]).await;
    let tables = tables.map_err(|error| error.to_string())?;
    let mut statements = vec![Statement::new("PRAGMA defer_foreign_keys = on")];
    for row in tables[0].iter() {
        let name = row.text("name").map_err(|error| error.to_string())?;
        let two = match aside {
            true => [
                format!("DROP TABLE IF EXISTS kept_{name}"),
                format!("CREATE TABLE kept_{name} AS SELECT * FROM {name}"),
            ],
            false => [
                format!("DELETE FROM {name}"),
                format!("INSERT INTO {name} SELECT * FROM kept_{name}"),
            ],
        };
        statements.extend(two.map(|sql| Statement::new(leaked(sql))));
    }
    app.database.batch(statements).await.map_err(|error| error.to_string())?;
    if !aside {
        app.restored(moment).await.map_err(|problem| problem.to_string())?;
    }
    Ok(())
}

/// The seam wants SQL that is constant. A test does not run for long.
fn leaked(sql: String) -> &'static str {
    sql.leak()
}
