//! How `openapi.json` is made: a table of what each operation takes, answers and refuses. The forms of messages
//! are those of their types; what an operation does is in its handler.

use std::collections::BTreeMap;

use callbook_auth::wire::{
    AuditAnswer, ChangePasswordRequest, CreateUserRequest, DevicesAnswer, LoginRequest, MeAnswer,
    PatchUserRequest, SessionAnswer, SetupRequest, TokenRequest, UserAnswer, UsersAnswer,
};
use callbook_calls::wire::{CallsAnswer, PullCallsAnswer, PushCallsAnswer, PushCallsRequest};
use callbook_contacts::wire::{
    ChangedAnswer, ContactsAnswer, DuplicatesAnswer, ImportAnswer, OpMessage, PullAnswer,
    PushAnswer, PushRequest, RestoreRequest, ShareAnswer, ShareRequest, SplitRequest,
};
use serde_json::{Value, json};
use utoipa::openapi::HttpMethod::{Delete, Get, Patch, Post, Put};
use utoipa::openapi::info::{InfoBuilder, License};
use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::said::{Problem, Said, problems, said};
use crate::routes::book::{HealthAnswer, StatsAnswer};
use crate::routes::calls::Wanted as WantedCalls;
use crate::routes::contacts::PullQuery;
use crate::routes::files::{ImportQuery, VcfQuery};
use crate::routes::listing::PageQuery;
use crate::routes::people::{OneAnswer, Wanted as WantedContacts};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const CALL: &str = "01890a5d-ac96-874b-8cce-b302099a8057";
const AT: &str = "2026-11-22T10:00:00.000Z";
const KEY: &str = "+14155552671";
const EPOCH: &str = "0b4ddd10a6002239";
const CURSOR: &str = "ZTAuNDIu";

const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// What texts look like that are more than texts: name, pattern, most characters, an example.
const FORMS: [(&str, &str, Option<usize>, &str); 15] = [
    ("Timestamp", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", None, AT),
    ("ContactId", UUID, None, ID),
    ("UserId", UUID, None, ID),
    ("DeviceId", UUID, None, ID),
    ("CallId", UUID, None, CALL),
    ("NumberKey", r"^\+\d{3,20}(;ext=\d{1,20})?$", None, KEY),
    ("Digest", "^[0-9a-f]{16}$", None, "2b78dc1bcdf79cb8"),
    ("Birthday", r"^(\d{4}|-)-\d{2}-\d{2}$", None, "1977-02-28"),
    ("Direction", "^[a-z_]+$", None, "incoming"),
    ("Act", "^[a-z_]+$", None, "signed_in"),
    ("Username", r"^[\p{Alphabetic}\p{N}._@+-]+$", Some(64), "ann"),
    ("Line", r"^[^\x00]*$", Some(1_000), "Ann Lee"),
    ("Note", r"^[^\x00]*$", Some(64 * 1024), "Calls back after five."),
    ("DeviceName", r"^[^\x00]*$", Some(200), "Pixel 9"),
    ("OpId", r"^[^\x00]+$", Some(64), "first"),
];

fn document() -> OpenApi {
    let mut paths = Paths::new();
    let mut components = Components::new();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for (name, response) in problems() {
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    for mut said in operations() {
        components.schemas.extend(std::mem::take(&mut said.schemas));
        let (path, method) = (said.path, said.method.clone());
        paths.add_path_operation(path, vec![method], said.operation());
    }
    for (name, pattern, most, example) in FORMS {
        let Some(RefOr::T(Schema::Object(text))) = components.schemas.get_mut(name) else {
            panic!("{name} is no text of the document");
        };
        text.pattern = Some(pattern.to_owned());
        text.max_length = most;
        text.examples = vec![example.into()];
    }
    let info = InfoBuilder::new()
        .title("Callbook")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A team's shared phone book and call history. What it all means is in docs/protocol.md.",
        ))
        .license(Some(License::new("MIT OR Apache-2.0")));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

/// The document as it is served and checked in: a line for each path and each schema, with members in order, and
/// comments without their links.
fn written(document: &OpenApi) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<_, _> = members.into_iter().collect();
                let plain =
                    |text: &str| text.replace("[`", "`").replace("`]", "`").replace('\n', " ");
                let members = members.into_iter().map(|(name, value)| match value {
                    Value::String(text) if name == "description" => (name, plain(&text).into()),
                    value => (name, sorted(value)),
                });
                members.collect()
            }
            Value::Array(values) => values.into_iter().map(sorted).collect(),
            value => value,
        }
    }
    fn lines(value: &mut Value, place: &str, text: &str) -> String {
        let Some(members) = value.pointer_mut(place).and_then(Value::as_object_mut) else {
            return text.to_owned();
        };
        let all = serde_json::to_string(members).expect("a document is JSON");
        let each = members.iter().map(|(name, value)| format!("\n{}:{value}", json!(name)));
        let each: Vec<String> = each.collect();
        text.replacen(&all, &format!("{{{}}}", each.join(",")), 1)
    }
    let mut value = sorted(serde_json::to_value(document).expect("a document is JSON"));
    let text = value.to_string();
    let text = lines(&mut value, "/paths", &text);
    lines(&mut value, "/components/schemas", &text) + "\n"
}

/// `INSTA_UPDATE=always cargo test -p callbook-worker` writes it anew, as it does snapshots.
#[test]
fn the_document_is_that_of_the_code() {
    let made = written(&document());
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        std::fs::write(path, &made).unwrap();
    } else {
        let update = "INSTA_UPDATE=always cargo test -p callbook-worker";
        assert!(made == super::DOCUMENT, "openapi.json is not what the code says: {update}");
    }
}

fn user() -> Value {
    json!({ "id": ID, "username": "ann", "role": "admin", "disabled": false, "created_at": AT })
}

fn device() -> Value {
    json!({ "id": ID, "user": ID, "name": "Pixel 9", "platform": "android 16", "created_at": AT,
        "acked_seq": 0 })
}

fn fields() -> Value {
    json!({ "name": "Ann Lee", "phones": [{ "number": "(415) 555-2671", "region": "US", "key": KEY,
        "type": "mobile", "label": null, "primary": true }] })
}

/// Both, in one object.
fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut value, more) {
        members.extend(more);
    }
    value
}

fn view() -> Value {
    let head = json!({ "id": ID, "rev": 42, "state": "visible", "lost": [], "created_at": AT,
        "updated_at": AT, "updated_by": ID, "edit_rev": 41 });
    with(head, fields())
}

fn call() -> Value {
    json!({ "phone_number": "(415) 555-2671", "timestamp": AT, "duration": 61, "direction": "incoming",
        "line": "sim-1" })
}

fn pulled_call() -> Value {
    with(json!({ "id": CALL, "rev": 7, "user": ID, "device": ID, "key": KEY }), call())
}

fn session() -> Value {
    json!({ "access_token": "eyJ…", "token_type": "Bearer", "expires_in": 900,
        "refresh_token": "cbr_…", "user": user(), "device": device() })
}

fn changed() -> Value {
    json!({ "rev": 43, "status": "applied", "lost": [] })
}

const NEW_PASSWORD: [&str; 2] = ["password_too_short", "invalid_password"];

#[rustfmt::skip] // a line for each thing that is said
fn operations() -> Vec<Said> {
    vec![
        said(Post, "/setup", "sign-in", "Makes the first admin, once.")
            .takes::<SetupRequest>(json!({ "setup_token": "…", "username": "ann", "password": "choose a long one" }))
            .makes::<UserAnswer>(json!({ "user": user() }))
            .fails(400, &NEW_PASSWORD).fails(400, &["invalid_username"])
            .fails(401, &["invalid_setup_token"])
            .fails(409, &["already_set_up"]),
        said(Post, "/login", "sign-in", "Signs in: a new device.")
            .takes::<LoginRequest>(json!({ "username": "ann", "password": "choose a long one",
                "device": { "name": "Pixel 9", "platform": "android 16" } }))
            .answers::<SessionAnswer>(session())
            .fails(401, &["invalid_credentials"])
            .fails(429, &["too_many_failures"])
            .fails(503, &["busy"]),
        said(Post, "/token", "sign-in", "Another pair of tokens for the last refresh token.")
            .takes::<TokenRequest>(json!({ "refresh_token": "cbr_…" }))
            .answers::<SessionAnswer>(session())
            .fails(401, &["token_invalid", "token_expired", "token_reused"])
            .fails(503, &["busy"]),
        said(Post, "/logout", "sign-in", "Ends the device that asks.").for_users()
            .answers_nothing(),
        said(Get, "/me", "sign-in", "Who asks, on which device.").for_users()
            .answers::<MeAnswer>(json!({ "user": user(), "device": device() })),
        said(Post, "/me/password", "sign-in", "Another password; the other devices of the user end.").for_users()
            .takes::<ChangePasswordRequest>(json!({ "current_password": "choose a long one",
                "new_password": "choose a longer one" }))
            .answers_nothing()
            .fails(400, &NEW_PASSWORD)
            .fails(401, &["invalid_credentials"])
            .fails(429, &["too_many_failures"])
            .fails(503, &["busy"]),
        said(Get, "/users", "users", "All users. For admins.").for_admins()
            .answers::<UsersAnswer>(json!({ "users": [user()] })),
        said(Post, "/users", "users", "Makes a user. For admins.").for_admins()
            .takes::<CreateUserRequest>(json!({ "username": "bob", "password": "choose a long one", "role": "member" }))
            .makes::<UserAnswer>(json!({ "user": user() }))
            .fails(400, &NEW_PASSWORD).fails(400, &["invalid_username"])
            .fails(409, &["username_taken"]),
        said(Patch, "/users/{id}", "users", "Changes a role or a password, shuts out or lets in. For admins.").for_admins()
            .takes::<PatchUserRequest>(json!({ "disabled": true }))
            .answers::<UserAnswer>(json!({ "user": user() }))
            .fails(400, &NEW_PASSWORD)
            .fails(404, &["not_found"])
            .fails(409, &["last_admin"]),
        said(Get, "/audit", "users", "Sign-ins, and what admins did, the latest first. For admins.").for_admins()
            .lists::<PageQuery>()
            .answers::<AuditAnswer>(json!({ "entries": [{ "at": AT, "act": "signed_in", "user": ID, "username": "ann",
                "device": ID, "address": "192.0.2.1", "subject": null }], "cursor": null })),
        said(Get, "/devices", "devices", "Devices, and how far each follows the book: for admins all, for members their own.").for_users()
            .answers::<DevicesAnswer>(json!({ "devices": [with(device(), json!({ "username": "ann", "pending": 0 }))] })),
        said(Delete, "/devices/{id}", "devices", "Ends a device.").for_users()
            .answers_nothing()
            .fails(403, &["forbidden"])
            .fails(404, &["not_found"]),
        said(Post, "/sync/contacts", "sync", "Pushes changes of contacts.").for_users()
            .takes::<PushRequest<OpMessage<'_>>>(json!({ "epoch": null, "region": "US", "sent_at": AT, "ops": [{ "op_seq": 1, "op_id": "first",
                "op": "put", "id": ID, "base_rev": 0, "set": { "name": "Ann Lee" },
                "add": { "phones": [{ "number": "(415) 555-2671", "type": "mobile" }] } }] }))
            .answers::<PushAnswer>(json!({ "epoch": EPOCH, "acked_seq": 1, "rev": 42,
                "results": [{ "op_seq": 1, "id": ID, "status": "applied", "rev": 42, "lost": [] }] }))
            .fails(400, &["invalid_op"])
            .fails(409, &["epoch_changed", "op_gap", "op_reused"])
            .fails(503, &["busy"]),
        said(Get, "/sync/contacts", "sync", "Pulls contacts that have changed.").for_users()
            .pulls::<PullQuery, PullAnswer>(json!({ "epoch": EPOCH, "contacts": [
                with(json!({ "id": ID, "rev": 42, "created_at": AT, "updated_at": AT, "updated_by": ID }), fields())],
                "cursor": CURSOR, "has_more": false, "digest": "2b78dc1bcdf79cb8", "rev": 42, "calls_rev": 7 })),
        said(Post, "/sync/calls", "sync", "Pushes calls.").for_users()
            .takes::<PushCallsRequest>(json!({ "region": "US", "calls": [call()] }))
            .answers::<PushCallsAnswer>(json!({ "accepted": 1, "duplicates": 0, "rejected": [] })),
        said(Get, "/sync/calls", "sync", "Pulls calls.").for_users()
            .pulls::<PageQuery, PullCallsAnswer>(json!({ "epoch": EPOCH, "calls": [pulled_call()], "cursor": CURSOR,
                "has_more": false })),
        said(Get, "/contacts", "people", "Contacts by name; deleted ones the latest first.").for_users()
            .lists::<WantedContacts>()
            .answers::<ContactsAnswer>(json!({ "contacts": [view()], "cursor": null })),
        said(Get, "/contacts/{id}", "people", "A contact with its duplicates, history and calls.").for_users()
            .answers::<OneAnswer>(json!({ "contact": view(), "updated_by_name": "ann", "duplicates": [],
                "history": [], "calls": [] }))
            .fails(404, &["not_found"]),
        said(Post, "/contacts/{id}/restore", "people", "Lets a contact say again what it said at a revision.").for_users()
            .takes::<RestoreRequest>(json!({ "rev": 7 }))
            .answers::<ChangedAnswer>(changed())
            .fails(404, &["not_found"])
            .fails(409, &["contact_too_large"])
            .fails(503, &["busy"]),
        said(Post, "/contacts/{id}/split", "people", "Not the same: the owner of a number gives it up to the next claimant.").for_users()
            .takes::<SplitRequest>(json!({ "key": KEY }))
            .answers::<ChangedAnswer>(changed())
            .fails(404, &["not_found"])
            .fails(409, &["not_owner", "no_other_claimant", "number_shared", "contact_too_large"])
            .fails(503, &["busy"]),
        said(Put, "/numbers/{key}", "people", "Marks a number as shared, or takes the mark away.").for_users()
            .takes::<ShareRequest>(json!({ "shared": true }))
            .answers::<ShareAnswer>(json!({ "key": KEY, "shared": true, "rev": 43 }))
            .fails(404, &["not_found"])
            .fails(503, &["busy"]),
        said(Get, "/duplicates", "people", "Hidden contacts, and numbers that several names claim.").for_users()
            .lists::<PageQuery>()
            .answers::<DuplicatesAnswer>(json!({ "hidden": [], "numbers": [{ "key": KEY, "shared": false,
                "claimants": [{ "id": ID, "name": "Ann Lee" }] }], "cursor": null })),
        said(Get, "/calls", "people", "Calls, the latest first.").for_users()
            .lists::<WantedCalls>()
            .answers::<CallsAnswer>(json!({ "calls": [with(pulled_call(), json!({ "username": "ann", "contact": null }))],
                "cursor": null })),
        said(Get, "/stats", "people", "How the book stands.").for_users()
            .answers::<StatsAnswer>(json!({ "epoch": EPOCH, "rev": 42, "changed_at": AT,
                "contacts": { "visible": 3, "hidden": 1, "deleted": 0 }, "calls": 7, "users": 2, "devices": 2,
                "shared_numbers": 0 })),
        said(Get, "/contacts.vcf", "files", "What phones show, as vCards.").for_users()
            .asks::<VcfQuery>()
            .answers_file("text/vcard"),
        said(Get, "/contacts.csv", "files", "What phones show, as a table.").for_users()
            .answers_file("text/csv"),
        said(Get, "/calls.csv", "files", "Calls as a table, the latest first. A page is not asked for.").for_users()
            .asks::<WantedCalls>()
            .answers_file("text/csv"),
        said(Post, "/contacts/import", "files", "Takes vCards 2.1, 3.0 and 4.0.").for_users()
            .asks::<ImportQuery>()
            .takes_file("text/vcard", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nTEL:+14155552671\r\nEND:VCARD\r\n")
            .answers::<ImportAnswer>(json!({ "rev": 42, "imported": 1, "hidden": 0, "unchanged": 0, "rejected": [], "next": null }))
            .fails(400, &["no_cards", "invalid_file"])
            .fails(503, &["busy"]),
        said(Get, "/health", "service", "Whether the service works. Anybody may ask.")
            .answers::<HealthAnswer>(json!({ "status": "ok", "version": "0.1.0", "set_up": true })),
        said(Get, "/openapi.json", "service", "This document. Anybody may ask.")
            .answers_anything(),
    ]
}
