//! What comes from somebody who means harm: whatever is sent, no answer is a 5xx, and what is refused has
//! written nothing.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::documented::{Operation, operations, resolved};
use super::*;

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

/// Values that a schema of the document allows; what it calls examples is as likely as what its pattern makes.
fn values(schema: &'static Value) -> BoxedStrategy<Value> {
    let schema = resolved(schema);
    let either = |schemas: &'static Value| {
        let schemas = schemas.as_array().unwrap().iter().map(values);
        proptest::strategy::Union::new(schemas).boxed()
    };
    if schema["enum"].is_array() {
        return proptest::sample::select(schema["enum"].as_array().unwrap().clone()).boxed();
    }
    if schema["oneOf"].is_array() {
        return either(&schema["oneOf"]);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts: Vec<_> = parts.iter().map(values).collect();
        let merged = |parts: Vec<Value>| {
            parts.into_iter().flat_map(|part| part.as_object().unwrap().clone()).collect()
        };
        return parts.prop_map(merged).boxed();
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        kind => vec![kind.as_str().unwrap()],
    };
    let kinds = kinds.into_iter().map(|kind| match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => {
            let bound = |name: &str, other: u64| schema[name].as_u64().unwrap_or(other);
            let (least, most) = (bound("minimum", 0), bound("maximum", 1 << 53));
            prop_oneof![least..=least + 9, least..=most].prop_map(Value::from).boxed()
        }
        "string" => texts(schema),
        "array" => {
            proptest::collection::vec(values(&schema["items"]), 0..4).prop_map(Value::from).boxed()
        }
        "object" => members(schema),
        kind => panic!("the document has {kind}"),
    });
    proptest::strategy::Union::new(kinds).boxed()
}

fn texts(schema: &'static Value) -> BoxedStrategy<Value> {
    let pattern = schema["pattern"].as_str().unwrap_or("^.*$");
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let most = schema["maxLength"].as_u64().unwrap_or(40) as usize;
    let made = proptest::string::string_regex(pattern).unwrap();
    let made = made.prop_map(move |text| Value::from(text.chars().take(most).collect::<String>()));
    match schema["examples"].as_array() {
        Some(examples) => prop_oneof![proptest::sample::select(examples.clone()), made].boxed(),
        None => made.boxed(),
    }
}

fn members(schema: &'static Value) -> BoxedStrategy<Value> {
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&Value> = required.collect();
    let all = schema["properties"].as_object().into_iter().flatten().map(|(name, schema)| {
        let is_required = required.iter().any(|it| *it == name);
        let said = if is_required { Just(true).boxed() } else { any::<bool>().boxed() };
        (said, values(schema))
            .prop_map(move |(said, value)| said.then(|| (name.clone(), value)))
            .boxed()
    });
    let all: Vec<_> = all.collect();
    all.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

/// A file with a text in its middle.
fn files(file: &'static str) -> BoxedStrategy<Vec<u8>> {
    let text =
        prop_oneof![proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned), "\\PC{0,40}"];
    let broken = move |(place, text): (usize, String)| {
        [&file.as_bytes()[..place], text.as_bytes(), &file.as_bytes()[place..]].concat()
    };
    (0..file.len(), text).prop_map(broken).boxed()
}

/// Bodies of an operation: its example or what its schema allows, with something else in up to two of its
/// places, or without them.
fn bodies(operation: Operation) -> BoxedStrategy<Vec<u8>> {
    let Some((_, schema, example)) = operation.body() else { return Just(Vec::new()).boxed() };
    if let Value::String(file) = example {
        return files(file);
    }
    let good = prop_oneof![1 => Just(example.clone()), 2 => values(schema)];
    let change = prop_oneof![2 => anything().prop_map(Some), 1 => Just(None)];
    let changes = proptest::collection::vec((any::<Index>(), change), 0..3);
    (good, changes)
        .prop_map(|(mut body, changes)| {
            for (place, value) in changes {
                let mut found = Vec::new();
                places(&body, "", &mut found);
                let place = place.get(&found);
                match (value, place.rsplit_once('/')) {
                    (Some(value), _) => *body.pointer_mut(place).unwrap() = value,
                    (None, Some((of, name))) => match body.pointer_mut(of).unwrap() {
                        Value::Object(members) => drop(members.remove(name)),
                        Value::Array(values) => drop(values.pop()),
                        _ => {}
                    },
                    (None, None) => {}
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
fn addresses(operation: Operation) -> impl Strategy<Value = String> + use<> {
    const KNOWN: [&str; 2] = ["01890a5d-ac96-774b-bcce-b302099a8057", "+14155552671"];
    let text = || {
        prop_oneof![
            proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned),
            proptest::sample::select(&KNOWN[..]).prop_map(str::to_owned),
            "\\PC{0,30}",
        ]
    };
    let (path, names) = (operation.path, operation.query());
    let said = proptest::collection::vec((any::<bool>(), text()), names.len());
    (text(), said).prop_map(move |(part, said)| {
        let part = if part.is_empty() { "x" } else { &part };
        let (head, tail) = path.split_once('{').unwrap_or((path, "}"));
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
    let answer = service.send(method.to_uppercase().parse().unwrap(), path, phone, body).await;
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
    // The same every time, unless somebody looks for more: `FUZZ=7 FUZZ_TRIES=1000 cargo test …`.
    let said = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seed = said("FUZZ").unwrap_or(0).to_le_bytes().repeat(4);
    let tries = said("FUZZ_TRIES").map_or(TRIES, |tries| tries as usize);
    let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), chance);
    for operation in operations() {
        let Operation { method, path, .. } = operation;
        let (mut service, mut ann, _) = start().await;
        let (addresses, bodies) = (addresses(operation), bodies(operation));
        for _ in 0..tries {
            let address = addresses.new_tree(&mut runner).unwrap().current();
            let body = bodies.new_tree(&mut runner).unwrap().current();
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
    for Operation { method, path, .. } in operations() {
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
    for operation in operations() {
        let Operation { method, path, .. } = operation;
        let takes_json = operation.body().is_some_and(|(kind, ..)| kind == "application/json");
        if !takes_json || method != "post" {
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
    for operation in operations() {
        let Operation { method, path, .. } = operation;
        if operation.roles().is_none() {
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
    let of_admins = operations().into_iter();
    let of_admins = of_admins.filter(|it| it.roles().is_some_and(|roles| roles == ["admin"]));
    let of_admins = of_admins.map(|operation| {
        let body = operation.body().map(|(_, _, example)| example.to_string());
        let path = operation.path.replace("{id}", &ann_id);
        (operation.method, path, body.unwrap_or_default().into_bytes())
    });
    let of_anns = ("delete", format!("/devices/{}", ann.device), Vec::new());
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
