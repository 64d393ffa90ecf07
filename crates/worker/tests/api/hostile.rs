//! What comes from somebody who means harm: whatever is sent, no answer is a 5xx, and what is refused has
//! written nothing.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// Who may ask.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    User,
    Admin,
}

/// All that the service does: method, path, who may ask, what its query may have, and the body of a good
/// request.
#[rustfmt::skip]
const OPERATIONS: &[(&str, &str, Who, &[&str], &str)] = &[
    ("POST", "/setup", Who::Anybody, &[], r#"{"setup_token": "…", "username": "ann", "password": "choose a long one"}"#),
    ("POST", "/login", Who::Anybody, &[], r#"{"username": "ann", "password": "choose a long one", "device": {"name": "Pixel 9", "platform": "android 16"}}"#),
    ("POST", "/token", Who::Anybody, &[], r#"{"refresh_token": "cbr_…"}"#),
    ("POST", "/logout", Who::User, &[], r#""#),
    ("GET", "/me", Who::User, &[], r#""#),
    ("POST", "/me/password", Who::User, &[], r#"{"current_password": "choose a long one", "new_password": "choose a longer one"}"#),
    ("GET", "/users", Who::Admin, &[], r#""#),
    ("POST", "/users", Who::Admin, &[], r#"{"username": "bob", "password": "choose a long one", "role": "member"}"#),
    ("PATCH", "/users/{id}", Who::Admin, &[], r#"{"disabled": true}"#),
    ("GET", "/devices", Who::User, &[], r#""#),
    ("DELETE", "/devices/{id}", Who::User, &[], r#""#),
    ("GET", "/audit", Who::Admin, &["cursor", "limit"], r#""#),
    ("POST", "/sync/contacts", Who::User, &[], r#"{"epoch": null, "region": "US", "sent_at": "2026-11-22T10:00:00.000Z", "ops": [{"op_seq": 1, "op_id": "first", "op": "put", "id": "01890a5d-ac96-774b-bcce-b302099a8057", "base_rev": 0, "set": {"name": "Ann Lee"}, "add": {"phones": [{"number": "(415) 555-2671", "type": "mobile"}]}}]}"#),
    ("GET", "/sync/contacts", Who::User, &["cursor", "limit"], r#""#),
    ("POST", "/sync/calls", Who::User, &[], r#"{"region": "US", "calls": [{"phone_number": "(415) 555-2671", "timestamp": "2026-11-22T10:00:00.000Z", "duration": 61, "direction": "incoming", "line": "sim-1"}]}"#),
    ("GET", "/sync/calls", Who::User, &["cursor", "limit"], r#""#),
    ("PUT", "/numbers/{key}", Who::User, &[], r#"{"shared": true}"#),
    ("GET", "/contacts", Who::User, &["q", "state", "cursor", "limit"], r#""#),
    ("GET", "/contacts/{id}", Who::User, &[], r#""#),
    ("POST", "/contacts/{id}/restore", Who::User, &[], r#"{"rev": 7}"#),
    ("POST", "/contacts/{id}/split", Who::User, &[], r#"{"key": "+14155552671"}"#),
    ("GET", "/duplicates", Who::User, &["cursor", "limit"], r#""#),
    ("GET", "/calls", Who::User, &["q", "contact", "user", "from", "to", "cursor", "limit"], r#""#),
    ("GET", "/stats", Who::User, &[], r#""#),
    ("GET", "/contacts.vcf", Who::User, &["version"], r#""#),
    ("GET", "/contacts.csv", Who::User, &[], r#""#),
    ("GET", "/calls.csv", Who::User, &["q", "contact", "user", "from", "to"], r#""#),
    ("POST", "/contacts/import", Who::User, &["region", "from"], r#""BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nTEL:+14155552671\r\nEND:VCARD\r\n""#),
    ("GET", "/health", Who::Anybody, &[], r#""#),
];

/// Texts that break what was not made for them.
const TEXTS: [&str; 16] = [
    "",
    "' OR 1=1; DROP TABLE contacts; --",
    "\"; SELECT * FROM users --",
    "a\r\nSet-Cookie: x=1",
    "../../etc/passwd",
    "%00",
    "\0",
    "\u{feff}\u{202e}\u{fffd}",
    "💥é\u{301}",
    "0",
    "-1",
    "1e999",
    "null",
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "9999-12-31T23:59:59.999Z",
    "{}",
];

/// What may stand in a value's place.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(i64::MIN), Just(-1), Just(0), Just(1 << 53), Just(i64::MAX)]
            .prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(1.5)),
        Just(json!(1e300)),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        (1_000_usize..70_000).prop_map(|length| Value::from("x".repeat(length))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,12}", inner, 0..6)
                .prop_map(|members| json!(members)),
        ]
    })
    .boxed()
}

/// The places of a value, each as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values.for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// The example of a request with something else in one or two of its places; of a file, with a text in its
/// middle.
fn bodies(example: Value) -> BoxedStrategy<Vec<u8>> {
    if let Value::String(file) = example {
        let place = 0..file.len();
        let text =
            prop_oneof![proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned), "\\PC{0,40}"];
        let broken = move |(place, text): (usize, String)| {
            [&file.as_bytes()[..place], text.as_bytes(), &file.as_bytes()[place..]].concat()
        };
        return (place, text).prop_map(broken).boxed();
    }
    let mut found = Vec::new();
    places(&example, "", &mut found);
    let changes = (proptest::sample::select(found), anything());
    proptest::collection::vec(changes, 0..3)
        .prop_map(move |changes| {
            let mut body = example.clone();
            for (place, value) in changes {
                if let Some(at) = body.pointer_mut(&place) {
                    *at = value;
                }
            }
            body.to_string().into_bytes()
        })
        .boxed()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// A path with its parameters, and a query with some of those that the operation has.
fn addresses(path: &str, names: &'static [&'static str]) -> impl Strategy<Value = String> + use<> {
    const KNOWN: [&str; 2] = ["01890a5d-ac96-774b-bcce-b302099a8057", "+14155552671"];
    let text = || {
        prop_oneof![
            proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned),
            proptest::sample::select(&KNOWN[..]).prop_map(str::to_owned),
            "\\PC{0,30}",
        ]
    };
    let path = path.to_owned();
    let said = proptest::collection::vec((any::<bool>(), text()), names.len());
    (text(), said).prop_map(move |(part, said)| {
        let part = if part.is_empty() { "x" } else { &part };
        let (head, tail) = path.split_once('{').unwrap_or((&path, "}"));
        let tail = tail.split_once('}').unwrap().1;
        let part = if head == path { String::new() } else { percent_encoded(part) };
        let said = names.iter().zip(said).filter(|(_, (said, _))| *said);
        let said = said.map(|(name, (_, text))| format!("{name}={}", percent_encoded(&text)));
        format!("{head}{part}{tail}?{}", said.collect::<Vec<_>>().join("&"))
    })
}

/// A book with a contact, an admin's phone and a member's.
async fn start() -> (Service, Phone, Phone) {
    let mut service = Service::new().await;
    let (mut ann, bob) = (service.log_in("ann").await, service.log_in("bob").await);
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671"), put(2, 0, "911")])).await;
    (service, ann, bob)
}

/// Sends, and holds the answer to what every answer is held to.
async fn hold(
    service: &mut Service,
    method: &str,
    path: &str,
    phone: Option<&Phone>,
    body: Vec<u8>,
) -> Answer {
    let before = dump(service).await;
    let shown = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
    let answer = service.send(method.parse().unwrap(), path, phone, body).await;
    assert!(
        answer.status.as_u16() < 500,
        "{method} {path} {shown}: {} {}",
        answer.status,
        answer.text
    );
    if !answer.status.is_success() {
        answer.problem();
        assert!(dump(service).await == before, "{method} {path} {shown}: refused, and written");
    }
    answer
}

#[tokio::test]
async fn whatever_is_sent_to_any_address_is_answered() {
    const TRIES: usize = 24;
    let mut runner = TestRunner::deterministic();
    for &(method, path, _, names, example) in OPERATIONS {
        let (mut service, mut ann, _) = start().await;
        let addresses = addresses(path, names);
        let example: Option<Value> =
            (!example.is_empty()).then(|| serde_json::from_str(example).unwrap());
        let bodies = bodies(example.clone().unwrap_or(Value::Null));
        for _ in 0..TRIES {
            let address = addresses.new_tree(&mut runner).unwrap().current();
            let body = match &example {
                None => Vec::new(),
                Some(_) => bodies.new_tree(&mut runner).unwrap().current(),
            };
            let answer = hold(&mut service, method, &address, Some(&ann), body).await;
            // Whoever was signed out, or has another password now, begins anew.
            if answer.status == StatusCode::UNAUTHORIZED
                || path == "/logout"
                || path == "/me/password"
            {
                (service, ann, _) = start().await;
            }
        }
    }
}

#[tokio::test]
async fn addresses_that_are_no_text_are_answered_too() {
    let (mut service, ann, _) = start().await;
    for (method, path, ..) in OPERATIONS {
        let Some((head, tail)) = path.split_once('{') else { continue };
        for part in ["%ff", "%00", "%", "%zz", "%2f%2e%2e", &"x".repeat(5_000)] {
            let path = format!("{head}{part}{}", tail.split_once('}').unwrap().1);
            let answer = hold(&mut service, method, &path, Some(&ann), b"{}".to_vec()).await;
            assert!(answer.status.is_client_error(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn json_that_is_deep_or_huge_is_refused() {
    let (mut service, ann, _) = start().await;
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let bodies = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"sent_at\":\"2026-11-22T10:00:00.000Z\",\"ops\":[{}]}}", deep("[", "]")),
        format!("{{\"calls\":[{}]}}", deep("[", "]")),
        format!("{{\"username\":{}}}", "9".repeat(500_000)),
        format!("{{\"x\":\"{}\"}}", "\\u0000".repeat(150_000)),
        "[".repeat(1_000_000),
        format!("{{{}}}", "\"a\":1,".repeat(100_000)),
        "x".repeat(3 << 20),
    ];
    for (method, path, _, _, example) in OPERATIONS {
        if example.is_empty() || *path == "/contacts/import" || *method != "POST" {
            continue;
        }
        let path = path.replace("{id}", &id(1).to_string());
        for body in &bodies {
            let answer =
                hold(&mut service, method, &path, Some(&ann), body.clone().into_bytes()).await;
            assert!(
                answer.status.is_client_error() || path == "/sync/calls",
                "{path} {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn tokens_that_are_not_ours_let_nobody_in() {
    let (mut service, ann, bob) = start().await;
    let parts: Vec<&str> = ann.access.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("a token has three parts") };
    // {"alg":"none","typ":"JWT"}, with and without a kid that is ours is refused alike.
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let bobs: Vec<&str> = bob.access.split('.').collect();
    let forged = [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{head}.{claims}."),
        format!("{head}.{}.{signature}", bobs[1]),
        format!("{head}.{claims}.{}", bobs[2]),
        format!("{head}.{claims}.{signature}.{signature}"),
        ann.refresh.clone(),
        "' OR 1=1 --".to_owned(),
        "x".repeat(10_000),
    ];
    for (method, path, who, ..) in OPERATIONS {
        if *who == Who::Anybody {
            continue;
        }
        let path = path.replace("{id}", &id(1).to_string()).replace("{key}", "%2B14155552671");
        for token in &forged {
            let phone = Phone { access: token.clone(), ..ann.clone() };
            let answer = hold(&mut service, method, &path, Some(&phone), Vec::new()).await;
            assert_eq!(answer.problem().0, 401, "{method} {path}");
        }
        let nobody = hold(&mut service, method, &path, None, Vec::new()).await;
        assert_eq!(nobody.problem(), (401, "token_missing"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_member_does_nothing_of_an_admins() {
    let (mut service, ann, bob) = start().await;
    let ann_id = service.get("/me", &ann).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let of_admins = OPERATIONS.iter().filter(|(_, _, who, ..)| *who == Who::Admin);
    let of_admins = of_admins.map(|(method, path, _, _, example)| {
        (*method, path.replace("{id}", &ann_id), example.as_bytes().to_vec())
    });
    let of_anns = ("DELETE", format!("/devices/{}", ann.device), Vec::new());
    for (method, path, body) in of_admins.chain([of_anns]) {
        let answer = hold(&mut service, method, &path, Some(&bob), body).await;
        assert_eq!(answer.problem(), (403, "forbidden"), "{method} {path}");
    }
    // Nor does a sign-in end another's device.
    let body = json!({ "username": "bob", "password": PASSWORD,
        "device": { "name": "", "platform": "", "replaces": ann.device } });
    service.log_in_as(body).await;
    service.get("/me", &ann).await.ok();
}

#[tokio::test]
async fn headers_are_not_believed() {
    let (mut service, ann, _) = start().await;
    let bearer = format!("Bearer {}", ann.access);
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-forwarded-for", "' OR 1=1 --"),
        ("cf-connecting-ip", "10.0.0.1"),
        ("x-request-id", "evil"),
        ("if-none-match", "*, \"', W/"),
        ("user-agent", "\t' OR 1=1 --"),
    ] {
        let headers = [(name, value), ("authorization", bearer.as_str())];
        let answer =
            service.send_with(Method::GET, "/sync/contacts", None, &headers, Vec::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_ne!(answer.headers["x-request-id"], "evil");
    }
    for value in ["", "Bearer", "Bearer ", "Basic YW5uOng=", "bearer\tx", "Bearer a b"] {
        let headers = [("authorization", value)];
        let answer = service.send_with(Method::GET, "/me", None, &headers, Vec::new()).await;
        assert_eq!(answer.problem().0, 401, "{value}");
    }
}
