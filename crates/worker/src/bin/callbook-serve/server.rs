//! Options, secrets, and the life of the server from its start to its end.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use callbook_auth::{PasswordCost, Secret, SigningKeys};
use callbook_base::ContactId;
use callbook_dedup::Tables;
use callbook_worker::database::{Database, Statement};
use callbook_worker::sqlite::{Sqlite, SqliteThread};
use callbook_worker::{
    App, Forgotten, InvalidSetting, KEEP_HISTORY, Kept, MIGRATIONS, Rekeying, SHORTEST_HISTORY,
    Settings, TOMBSTONES_KEPT, origin, router,
};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tracing_subscriber::EnvFilter;

use crate::{connections, edge, hints};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long requests under way may take after a signal to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// How often a change of the book is tried when others come between. Here each takes a millisecond: all connections may
/// push at once, and no phone is sent away.
const TRIES: u32 = 100;

/// Answers with fewer bytes are sent as they are: to whom takes it, others are packed.
const LEAST_PACKED: u64 = 1_024;

/// Serves one team's book from a SQLite file.
///
/// On a new database it makes its secrets, prints them once, and shows the curl commands that make
/// the first admin, sign in and push a contact.
#[derive(Parser)]
#[command(
    name = "cargo serve --",
    version,
    after_help = "Example:\n  \
    cargo serve -- --listen 127.0.0.1:8787 --db callbook.db"
)]
struct Options {
    /// Address and port to listen on; put a proxy that speaks TLS in front of it
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// The SQLite file; made when it is not there
    #[arg(long, default_value = "callbook.db", value_name = "FILE")]
    db: PathBuf,

    /// What lets in to POST /setup, once
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    setup_token: Option<String>,

    /// What signs access tokens: 32 bytes or more
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<String>,

    /// The JWT_SECRET before this one, whose tokens still hold
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    jwt_secret_previous: Option<String>,

    /// An origin whose pages may call the service in a browser, such as https://book.example.org; may be
    /// given several times
    #[arg(long, env, value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<HeaderValue>,

    /// The header in which the proxy in front of it tells the client's address, such as X-Forwarded-For.
    /// Only where nobody reaches the server but through that proxy
    #[arg(long, value_name = "HEADER")]
    address_header: Option<HeaderName>,

    /// How long a request may take, its arrival included; also how long a connection may be silent
    #[arg(long, default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    longest_request: u64,

    /// Forget calls that are older than so many days
    #[arg(long, env, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_calls: Option<u32>,

    /// Forget what contacts said before an edit, and the audit, after so many days
    #[arg(long, env, default_value_t = KEEP_HISTORY, value_name = "DAYS", value_parser = history)]
    keep_history: u32,

    /// The file is a backup that was put back: says so to the phones. For the first start after that, and
    /// no other
    #[arg(long)]
    restored: bool,

    /// What to log: error, warn, info, debug, or a filter such as callbook_worker=debug
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log: EnvFilter,
}

pub(crate) fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(options)),
        Err(error) => Err(format!("the system gives no threads: {error}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), String> {
    let Options { listen, db, setup_token, jwt_secret, jwt_secret_previous, restored, log, .. } =
        options;
    let kept = Kept::days(options.keep_history, options.keep_calls);
    tracing_subscriber::fmt()
        .with_env_filter(log)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();

    // The port first: a server that is running already keeps its database to itself.
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}. Name another address with --listen")
    })?;
    let listen = listener.local_addr().unwrap_or(listen);
    let sqlite = Sqlite::open(&db).map_err(|error| error.to_string())?;
    let applied = sqlite
        .migrate(MIGRATIONS, edge::now())
        .map_err(|error| format!("cannot use the database {}: {error}", db.display()))?;
    let new = applied.names.first().map(String::as_str) == Some(MIGRATIONS[0].0);
    let database = Arc::new(SqliteThread::new(sqlite).map_err(|error| error.to_string())?);

    let made = hints::Made {
        setup_token: (new && setup_token.is_none()).then(edge::secret),
        jwt_secret: (new && jwt_secret.is_none()).then(edge::secret),
    };
    let setup_token = setup_token.or_else(|| made.setup_token.clone());
    let Some(jwt_secret) = jwt_secret.or_else(|| made.jwt_secret.clone()) else {
        return Err(format!(
            "JWT_SECRET is not set. It was shown when {} was made: set it to that. If it is lost, set it \
             to a new one of 32 characters or more, and everybody signs in again",
            db.display()
        ));
    };
    let keys = SigningKeys::new(&jwt_secret, jwt_secret_previous.as_deref())
        .map_err(|error| format!("JWT_SECRET cannot be used: {error}"))?;
    let has_setup_token = setup_token.is_some();
    let app = App {
        database: database.clone(),
        tables: Tables::CURRENT,
        tombstones_kept: TOMBSTONES_KEPT,
        keys,
        setup_token: setup_token.map(Secret::from),
        password_cost: PasswordCost::STANDARD,
        settings: Settings {
            origins: options.allow_origin,
            kept,
            pieces_of_an_import: usize::MAX,
            tries: TRIES,
            clock: None,
        },
    }
    .timed(edge::clock);
    if restored {
        say_restored(&app).await?;
    }
    rekey(&app).await?;
    let now = edge::now();
    let start = hints::Start {
        listen,
        db: &db,
        made: &made,
        has_setup_token,
        is_set_up: has_users(&database).await?,
        now,
        contact: ContactId::new(now, edge::chance()),
    };
    print!("{}", hints::started(&start));

    let app = Arc::new(app);
    tokio::spawn(forget(app.clone()));
    let header = edge::AddressHeader(options.address_header);
    let longest = Duration::from_secs(options.longest_request);
    let host = axum::middleware::from_fn_with_state((header, longest), edge::host);
    let large = SizeAbove::new(LEAST_PACKED);
    let pack = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(large);
    let service = router(app).layer(pack).layer(host);
    let stopping = Arc::new(tokio::sync::Notify::new());
    let stop = {
        let stopping = stopping.clone();
        async move {
            let signal = wait_for_signal().await;
            tracing::info!(signal, "stopping: no new requests, those under way finish");
            stopping.notify_one();
        }
    };
    let server = connections::serve(listener, service, longest, stop);
    let too_long = async {
        stopping.notified().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    tokio::select! {
        biased;
        () = server => {}
        () = too_long => tracing::warn!("requests took too long and were cut off"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Lets phones notice that the book is an older one than they know.
async fn say_restored(app: &App) -> Result<(), String> {
    match app.restored(edge::moment()).await {
        Err(problem) => Err(format!("cannot mark the book as restored: {problem}")),
        Ok(false) => {
            Err("there is no book in this file to be restored: put the backup in its place, \
                          and start again"
                .to_owned())
        }
        Ok(true) => {
            tracing::info!(
                "the book is marked as restored: phones notice and pull what has changed"
            );
            Ok(())
        }
    }
}

/// Gives the book the keys of this release's numbering tables, if others made them. A signal may stop
/// that: the next start, or the first requests, go on.
async fn rekey(app: &App) -> Result<(), String> {
    const LINE_EVERY: usize = 10_000;
    let (mut contacts, mut calls, mut lines) = (0, 0, 0);
    loop {
        match app.rekey(edge::moment()).await {
            Err(problem) => return Err(format!("cannot re-key the book: {problem}")),
            Ok(Rekeying::Done) if contacts + calls == 0 => return Ok(()),
            Ok(Rekeying::Done) => {
                tracing::info!(
                    contacts,
                    calls,
                    "the book has its keys from the new numbering tables"
                );
                return Ok(());
            }
            Ok(Rekeying::GoesOn { contacts: more_contacts, calls: more_calls }) => {
                (contacts, calls) = (contacts + more_contacts, calls + more_calls);
                if (contacts + calls) / LINE_EVERY > lines {
                    lines = (contacts + calls) / LINE_EVERY;
                    tracing::info!(contacts, calls, "re-keying the book for new numbering tables");
                }
            }
        }
    }
}

/// Forgets what is old enough, now and once a day.
async fn forget(app: Arc<App>) {
    loop {
        match app.forget(edge::moment, usize::MAX).await {
            Err(problem) => tracing::warn!(%problem, "what is old stays for another day"),
            Ok(Forgotten { contacts, revisions, calls, audit, .. }) => {
                if contacts + revisions + calls + audit > 0 {
                    tracing::info!(contacts, revisions, calls, audit, "forgot what was old");
                }
            }
        }
        tokio::time::sleep(DAY).await;
    }
}

fn history(text: &str) -> Result<u32, InvalidSetting> {
    let days = text.parse().ok().filter(|days| *days >= SHORTEST_HISTORY);
    days.ok_or(InvalidSetting::KeepHistory)
}

async fn has_users(database: &SqliteThread) -> Result<bool, String> {
    let count = Statement::new("SELECT count(*) AS users FROM users");
    let rows = database.batch(vec![count]).await.map_err(|error| error.to_string())?;
    Ok(rows[0].first().is_some_and(|row| row.count("users").unwrap_or(0) > 0))
}

async fn wait_for_signal() -> &'static str {
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the system's own way of stopping holds.
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}
