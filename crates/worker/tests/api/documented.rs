//! Every answer of the suite is held against `openapi.json`: its status is documented, its body has the form
//! that the document says and no member more, and a problem has one of the codes that are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;

use super::*;

/// The document that the service serves.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).unwrap());

/// What the document says of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// With its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) said: &'static Value,
}

/// All of them.
pub(crate) fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(|(method, said)| Operation { method, path: path.as_str(), said })
    });
    operations.collect()
}

impl Operation {
    /// Which one this is.
    fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap();
        let fits = |template: &str| {
            let (parts, asked) = (template.split('/'), path.split('/'));
            template.split('/').count() == path.split('/').count()
                && parts.zip(asked).all(|(part, asked)| part == asked || part.starts_with('{'))
        };
        let fitting = operations().into_iter().filter(|operation| {
            operation.method.eq_ignore_ascii_case(method.as_str()) && fits(operation.path)
        });
        fitting.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// The document's answer of this status.
    fn response(self, status: StatusCode) -> Option<&'static Value> {
        self.said["responses"].get(status.as_str())
    }

    /// The body of a request: its kind, its schema if it is JSON, and an example.
    pub(crate) fn body(self) -> Option<(&'static str, &'static Value, &'static Value)> {
        let (kind, content) = self.said["requestBody"]["content"].as_object()?.iter().next()?;
        Some((kind, &content["schema"], &content["example"]))
    }

    /// What its query may have.
    pub(crate) fn query(self) -> Vec<&'static str> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        query.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    /// The roles that are let in, if not anybody is.
    pub(crate) fn roles(self) -> Option<Vec<&'static str>> {
        let roles = self.said["security"].as_array()?[0]["token"].as_array().unwrap();
        Some(roles.iter().map(|role| role.as_str().unwrap()).collect())
    }
}

/// What a reference means.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => DOCUMENT.pointer(place.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// The document's schemas, closed: a member that they do not tell is wrong. Those that are a part of others
/// stay open.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    fn parts(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                let all = members.get("allOf").and_then(Value::as_array).into_iter().flatten();
                found.extend(all.filter_map(|part| part["$ref"].as_str().map(str::to_owned)));
                members.values().for_each(|value| parts(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| parts(value, found)),
            _ => {}
        }
    }
    fn close(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members.iter_mut().filter(|(name, _)| *name != "allOf") {
                    match (name.as_str(), value) {
                        ("properties", Value::Object(members)) => {
                            members.values_mut().for_each(close);
                        }
                        (_, value) => close(value),
                    }
                }
                if members.contains_key("allOf") || members.contains_key("properties") {
                    members.insert("unevaluatedProperties".to_owned(), json!(false));
                }
            }
            Value::Array(values) => values.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut open = BTreeSet::new();
    parts(&DOCUMENT["components"]["schemas"], &mut open);
    let mut schemas = DOCUMENT["components"]["schemas"].clone();
    for (name, schema) in schemas.as_object_mut().unwrap() {
        if !open.contains(&format!("#/components/schemas/{name}")) {
            close(schema);
        }
    }
    json!({ "schemas": schemas })
});

/// What holds a value to a schema; each is made once.
pub(crate) fn validator(schema: &Value) -> Arc<Validator> {
    static MADE: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    let validator = made.entry(schema.to_string()).or_insert_with(|| {
        let mut schema = schema.clone();
        schema["components"] = CLOSED.clone();
        Arc::new(jsonschema::validator_for(&schema).unwrap())
    });
    validator.clone()
}

#[track_caller]
fn hold(what: &str, schema: &Value, value: &Value) {
    let validator = validator(schema);
    let errors = validator.iter_errors(value);
    let errors: Vec<String> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value}");
}

/// Fails the test unless the answer is one that the document tells.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    if answer.status == StatusCode::METHOD_NOT_ALLOWED || method == Method::OPTIONS {
        return;
    }
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let Some(operation) = Operation::of(method, path) else {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path} is not documented");
        return;
    };
    let what = format!("{method} {} {}", operation.path, answer.status);
    let said = operation.response(answer.status);
    let said = said.unwrap_or_else(|| panic!("{what} is not documented: {}", answer.text));
    if let Some(code) = answer.body["code"].as_str() {
        let told = said["description"].as_str().unwrap();
        assert!(told.contains(&format!("`{code}`")), "{what}: {code} is not documented");
    }
    let Some(content) = resolved(said)["content"].as_object() else {
        assert_eq!(answer.text, "", "{what}");
        return;
    };
    let (kind, content) = content.iter().next().unwrap();
    let got = answer.content_type.split(';').next().unwrap();
    assert!(got == kind || answer.text.is_empty(), "{what}: {got} is not {kind}");
    if !answer.body.is_null() {
        hold(&what, &content["schema"], &answer.body);
    }
}

#[tokio::test]
async fn anybody_gets_the_document() {
    let mut service = Service::bare();
    let answer = service.send(Method::GET, "/openapi.json", None, Vec::new()).await.ok();
    assert_eq!(answer, *DOCUMENT);
    assert!(answer["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn every_address_is_told() {
    let routes = include_str!("../../src/routes.rs").split(".route(\"").skip(1);
    let routes: BTreeSet<&str> = routes.map(|rest| rest.split('"').next().unwrap()).collect();
    let told: BTreeSet<&str> = operations().iter().map(|operation| operation.path).collect();
    assert_eq!(routes, told);
}

#[test]
fn every_operation_is_told_with_examples_that_hold() {
    for Operation { method, path, said } in operations() {
        let what = format!("{method} {path}");
        assert!(said["summary"].is_string(), "{what}");
        let responses = said["responses"].as_object().unwrap().values();
        for content in [&said["requestBody"]].into_iter().chain(responses) {
            let content = content["content"].as_object();
            for (kind, content) in content.into_iter().flatten() {
                match content.get("example") {
                    Some(example) => hold(&what, &content["schema"], example),
                    None => assert!(kind.starts_with("text/") || path == "/openapi.json", "{what}"),
                }
            }
        }
    }
}

#[test]
fn an_answer_that_is_not_told_fails() {
    let schema = json!({ "$ref": "#/components/schemas/PullAnswer" });
    let good = json!({ "epoch": "e", "contacts": [], "cursor": "c", "has_more": true, "rev": 1 });
    assert!(validator(&schema).is_valid(&good));
    let id = id(1);
    for (member, value) in [
        ("more", json!(1)),
        ("rev", json!("1")),
        ("epoch", json!(null)),
        ("contacts", json!([{ "id": id, "rev": 1 }])),
        ("contacts", json!([{ "id": id, "rev": 1, "deleted": true, "more": 1 }])),
        ("contacts", json!([{ "id": "x", "rev": 1, "deleted": true }])),
        ("contacts", json!([{ "id": id, "rev": 1, "hidden": true }])),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(!validator(&schema).is_valid(&bad), "{bad}");
    }
}
