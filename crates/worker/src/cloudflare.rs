//! The edge of the Worker: what Cloudflare calls, its clock, its chance, its secrets and its console.
//! Everything behind this takes them as arguments. No rule, address or SQL may be here.

mod console;
mod d1;
#[cfg(feature = "replay")]
mod replay;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use callbook_auth::{PasswordCost, Secret, SigningKeys};
use callbook_base::Timestamp;
use callbook_dedup::Tables;
use worker::js_sys::{JSON, Reflect};
use worker::{Context, Date, Env, HttpRequest, ScheduleContext, ScheduledEvent, event};

use crate::{
    App, ClientAddress, Forgotten, Moment, Problem, STEPS_OF_A_WORKER, Settings, TOMBSTONES_KEPT,
    router,
};
use d1::D1;

/// The binding of the book, in `wrangler.toml`.
const BOOK: &str = "DB";

thread_local! {
    /// Made by the first request of an instance, which is one thread.
    static SERVICE: std::cell::OnceCell<(Arc<App>, Router)> = const { std::cell::OnceCell::new() };
}

#[event(start)]
fn start() {
    console::init();
}

#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, _: Context) -> worker::Result<Response<Body>> {
    #[cfg(feature = "replay")]
    return Ok(replay::fetch(request, env).await);
    #[cfg(not(feature = "replay"))]
    serve(request, env).await
}

#[cfg(not(feature = "replay"))]
async fn serve(mut request: HttpRequest, env: Env) -> worker::Result<Response<Body>> {
    use axum::response::IntoResponse;
    use tower::ServiceExt;

    let service = match service(&env) {
        Ok((_, service)) => service,
        Err(problem) => return Ok(problem.into_response()),
    };
    request.extensions_mut().insert(moment());
    if let Some(address) = address(&request) {
        request.extensions_mut().insert(address);
    }
    match service.oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

/// Once a day, by the cron of `wrangler.toml`: forgets what is old enough.
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    let app = match service(&env) {
        Ok((app, _)) => app,
        Err(problem) => return tracing::error!(%problem, "nothing was forgotten"),
    };
    match app.forget(moment, STEPS_OF_A_WORKER).await {
        Ok(Forgotten { contacts, revisions, calls, audit, .. }) => {
            tracing::info!(contacts, revisions, calls, audit, "forgot what was old");
        }
        Err(problem) => tracing::warn!(%problem, "what is old stays for another day"),
    }
}

/// The service of this instance.
fn service(env: &Env) -> Result<(Arc<App>, Router), Problem> {
    SERVICE.with(|made| {
        if let Some(service) = made.get() {
            return Ok(service.clone());
        }
        let app = app(env)?;
        #[cfg(not(feature = "replay"))] // whose answers are those of the simulator
        let app = app.timed(clock);
        let app = Arc::new(app);
        let router = router(app.clone());
        Ok(made.get_or_init(|| (app, router)).clone())
    })
}

fn app(env: &Env) -> Result<App, Problem> {
    let secret = |name: &str| env.secret(name).ok().map(|secret| secret.to_string());
    let not_set_up =
        |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_configured", detail);
    let database = env.d1(BOOK).map_err(|_| {
        not_set_up(format!("the Worker has no D1 database bound as {BOOK}: see wrangler.toml"))
    })?;
    let jwt_secret = secret("JWT_SECRET").ok_or_else(|| {
        not_set_up("JWT_SECRET is not set: `wrangler secret put JWT_SECRET`".to_owned())
    })?;
    let keys = SigningKeys::new(&jwt_secret, secret("JWT_SECRET_PREVIOUS").as_deref())
        .map_err(|error| not_set_up(format!("JWT_SECRET cannot be used: {error}")))?;
    let settings = Settings::read(|name| variable(env, name))
        .map_err(|error| not_set_up(format!("[vars] of wrangler.toml: {error}")))?;
    Ok(App {
        database: Arc::new(D1::new(database)),
        tables: Tables::CURRENT,
        tombstones_kept: TOMBSTONES_KEPT,
        keys,
        setup_token: secret("SETUP_TOKEN").map(Secret::from),
        password_cost: PasswordCost::STANDARD,
        settings,
    })
}

/// What `[vars]` of wrangler.toml says: a text, a number, or what will not be read.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok().filter(|value| !value.is_undefined())?;
    value.as_string().or_else(|| JSON::stringify(&value).ok().map(String::from))
}

/// Who asks, as Cloudflare tells it: nobody reaches a Worker but through it.
fn address(request: &HttpRequest) -> Option<ClientAddress> {
    let address = request.headers().get("cf-connecting-ip")?.to_str().ok()?;
    address.parse().ok().map(ClientAddress)
}

/// Now, and some chance.
fn moment() -> Moment {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the runtime has chance to give");
    Moment { now: Timestamp::from_millis(Date::now().as_millis() as i64), seed }
}

/// How time passes. It stands still while a Worker computes, and goes on with what it waits for: so what is
/// told of a request is what it waited, for D1 most of all. Cloudflare tells its CPU.
#[cfg(not(feature = "replay"))]
fn clock() -> std::time::Duration {
    std::time::Duration::from_millis(Date::now().as_millis())
}
