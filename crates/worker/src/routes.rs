//! The addresses of the service. What a handler does is in the modules below; a rule of the domain
//! must never live in any of them.

mod book;
mod calls;
mod change;
mod contacts;
mod devices;
mod files;
mod guessing;
mod headers;
mod listing;
mod numbers;
mod openapi;
mod paging;
mod people;
mod session;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post, put};

use crate::app::App;
use crate::problem::Problem;

pub use headers::finish;

/// The most bytes of a body (sections 4 and 6).
const MOST_BYTES: usize = 1 << 20;

/// The service. Its host puts a [`Moment`](crate::Moment) into the extensions of each request.
pub fn router(app: impl Into<Arc<App>>) -> Router {
    let app = app.into();
    let clock = app.settings.clock;
    let cors = (!app.settings.origins.is_empty()).then(|| headers::cors(&app.settings.origins));
    let routes = Router::new()
        .route("/setup", post(session::set_up))
        .route("/login", post(session::log_in))
        .route("/token", post(session::refresh))
        .route("/logout", post(session::log_out))
        .route("/me", get(session::me))
        .route("/me/password", post(session::change_password))
        .route("/users", get(users::list).post(users::create))
        .route("/users/{id}", patch(users::change))
        .route("/devices", get(devices::list))
        .route("/devices/{id}", delete(devices::end))
        .route("/numbers/{key}", put(numbers::put))
        .route("/contacts", get(people::list))
        .route("/contacts/{id}", get(people::one))
        .route("/contacts/{id}/restore", post(people::restore))
        .route("/contacts/{id}/split", post(people::tell_apart))
        .route("/duplicates", get(people::duplicates))
        .route("/contacts/import", post(files::import))
        .route("/contacts.vcf", get(files::vcf))
        .route("/contacts.csv", get(files::contacts_csv))
        .route("/calls", get(calls::list))
        .route("/calls.csv", get(files::calls_csv))
        .route("/stats", get(book::stats))
        .route("/audit", get(book::audit))
        .route("/health", get(book::health))
        .route("/openapi.json", get(openapi::document))
        .route("/sync/contacts", get(contacts::pull).post(contacts::push))
        .route("/sync/calls", get(calls::pull).post(calls::push))
        .fallback(async || Problem::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            let detail = "this address does not take this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(app);
    let routes = match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes.layer(axum::middleware::from_fn_with_state(clock, headers::headers))
}
