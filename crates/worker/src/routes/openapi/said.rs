//! How an operation of the document is put together from the types of its messages. What there is to be said
//! of each is in the table of [`super::made`].

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, ContentBuilder, HttpMethod, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoParams, ToSchema};

/// Schemas by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// What the document says of one operation.
pub(super) struct Said {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    /// Of its messages.
    pub(super) schemas: Schemas,
    operation: OperationBuilder,
    /// The codes of its problems, by status.
    problems: BTreeMap<u16, Vec<&'static str>>,
}

/// An answer that says what went wrong (RFC 9457).
#[derive(ToSchema)]
#[allow(dead_code)] // `Problem` writes it
pub(super) struct Problem {
    /// `about:blank`: the status and the code say it all.
    r#type: String,
    title: String,
    status: u16,
    /// What a program acts on; never another for the same.
    code: String,
    /// For people.
    detail: String,
    /// With `op_gap`: the op that comes next.
    #[schema(nullable = false)]
    expected: Option<u64>,
    /// With `epoch_changed`: the book as it is now.
    #[schema(nullable = false)]
    epoch: Option<String>,
    /// With `epoch_changed`: the device's last op that this book has.
    #[schema(nullable = false)]
    acked_seq: Option<u64>,
    /// With `epoch_changed`: up to which rev both books are one.
    #[schema(nullable = false)]
    rev: Option<u64>,
    /// With `invalid_file`: the first card that was not written.
    #[schema(nullable = false)]
    next: Option<u64>,
}

/// The beginning of what is said of an operation.
pub(super) fn said(
    method: HttpMethod,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Said {
    let mut operation = OperationBuilder::new().tag(tag).summary(Some(summary));
    if let Some((_, rest)) = path.split_once('{') {
        let name = rest.split('}').next().unwrap_or_default();
        let text = ObjectBuilder::new().schema_type(Type::String);
        let mut part = Parameter::new(name);
        part.parameter_in = ParameterIn::Path;
        part.required = Required::True;
        part.schema = Some(text.into());
        operation = operation.parameter(part);
    }
    let said = Said { method, path, schemas: Vec::new(), operation, problems: BTreeMap::new() };
    said.fails(408, &["too_slow"])
        .fails(500, &["internal_error"])
        .fails(503, &["database_unavailable", "database_behind", "not_configured"])
}

impl Said {
    /// Who is signed in may.
    pub(super) fn for_users(self) -> Self {
        self.let_in(&[])
    }

    /// Admins may.
    pub(super) fn for_admins(self) -> Self {
        self.let_in(&["admin"]).fails(403, &["forbidden"])
    }

    fn let_in(mut self, roles: &[&str]) -> Self {
        let token = SecurityRequirement::new("token", roles.iter().copied());
        self.operation = self.operation.security(token);
        self.fails(401, &["token_missing", "token_invalid", "token_expired", "token_reused"])
    }

    /// With this query.
    pub(super) fn asks<Q: IntoParams>(mut self) -> Self {
        let query = Q::into_params(|| Some(ParameterIn::Query));
        self.operation = self.operation.parameters(Some(query));
        self.fails(400, &["invalid_request"])
    }

    /// With the query of a list of people's tools.
    pub(super) fn lists<Q: IntoParams>(self) -> Self {
        self.asks::<Q>().fails(400, &["invalid_cursor", "invalid_limit"])
    }

    /// Pulled, and not again when it is as it was.
    pub(super) fn pulls<Q: IntoParams, T: ToSchema>(mut self, example: Value) -> Self {
        let mut known = Parameter::new("If-None-Match");
        known.parameter_in = ParameterIn::Header;
        known.required = Required::False;
        known.description = Some("The ETag of an answer that is at hand.".to_owned());
        known.schema = Some(ObjectBuilder::new().schema_type(Type::String).into());
        let same = tagged(ResponseBuilder::new().description("As it was."));
        self.operation = self.operation.parameter(known).response("304", same);
        let content = self.content::<T>(Some(example));
        let page = ResponseBuilder::new().description("A page.").content(JSON, content);
        self.operation = self.operation.response("200", tagged(page));
        self.asks::<Q>().fails(400, &["invalid_limit"]).fails(410, &["cursor_expired"])
    }

    /// With a body.
    pub(super) fn takes<T: ToSchema>(mut self, example: Value) -> Self {
        let content = self.content::<T>(Some(example));
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True));
        self.operation = self.operation.request_body(Some(body.build()));
        self.fails(400, &["invalid_request"]).fails(413, &["too_large"])
    }

    /// With a file.
    pub(super) fn takes_file(mut self, kind: &str, example: &str) -> Self {
        let body = RequestBodyBuilder::new().content(kind, text(Some(example.into())));
        let body = body.required(Some(Required::True)).build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// Answered so when all is well.
    pub(super) fn answers<T: ToSchema>(self, example: Value) -> Self {
        self.answers_with::<T>("200", "Done.", example)
    }

    /// Answered so when what was asked for has been made.
    pub(super) fn makes<T: ToSchema>(self, example: Value) -> Self {
        self.answers_with::<T>("201", "Made.", example)
    }

    fn answers_with<T: ToSchema>(mut self, status: &str, words: &str, example: Value) -> Self {
        let content = self.content::<T>(Some(example));
        let response = ResponseBuilder::new().description(words).content(JSON, content);
        self.operation = self.operation.response(status, response.build());
        self
    }

    /// Answered without a body.
    pub(super) fn answers_nothing(mut self) -> Self {
        self.operation =
            self.operation.response("204", ResponseBuilder::new().description("Done."));
        self
    }

    /// Answered with JSON of any form.
    pub(super) fn answers_anything(mut self) -> Self {
        let object = ContentBuilder::new().schema(Some(ObjectBuilder::new())).build();
        let response = ResponseBuilder::new().description("Done.").content(JSON, object);
        self.operation = self.operation.response("200", response.build());
        self
    }

    /// Answered with a file.
    pub(super) fn answers_file(mut self, kind: &str) -> Self {
        let response = ResponseBuilder::new().description("The file.").content(kind, text(None));
        self.operation = self.operation.response("200", response.build());
        self
    }

    /// Refused with one of these codes.
    pub(super) fn fails(mut self, status: u16, codes: &[&'static str]) -> Self {
        let known = self.problems.entry(status).or_default();
        known.extend(codes);
        known.sort();
        known.dedup();
        self
    }

    pub(super) fn operation(self) -> Operation {
        let mut operation = self.operation;
        for (status, codes) in self.problems {
            let name = if matches!(status, 429 | 503) { "Later" } else { "Problem" };
            let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let mut problem = Ref::from_response_name(name);
            problem.description = codes.join(", ");
            operation = operation.response(status.to_string(), RefOr::Ref(problem));
        }
        operation.build()
    }

    fn content<T: ToSchema>(&mut self, example: Option<Value>) -> Content {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        let schema = Ref::from_schema_name(T::name());
        ContentBuilder::new().schema(Some(schema)).example(example).build()
    }
}

const JSON: &str = "application/json";

fn text(example: Option<Value>) -> Content {
    let text = ObjectBuilder::new().schema_type(Type::String);
    ContentBuilder::new().schema(Some(text)).example(example).build()
}

fn header(words: &str, kind: Type) -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(kind));
    header.description = Some(words.to_owned());
    header
}

fn tagged(response: ResponseBuilder) -> Response {
    let tag = header("For If-None-Match of the next request.", Type::String);
    response.header("ETag", tag).build()
}

/// The answers that all operations share.
pub(super) fn problems() -> [(&'static str, Response); 2] {
    let problem = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
        ResponseBuilder::new()
            .description("What went wrong.")
            .content("application/problem+json", content.build())
    };
    let later = header("Seconds after which to try again.", Type::Integer);
    [("Problem", problem().build()), ("Later", problem().header("Retry-After", later).build())]
}
