//! What `[vars]` of wrangler.toml says is done: `test-workerd` names an origin.

use axum::http::{Method, Request};
use callbook_base::Timestamp;
use callbook_worker::Moment;

use crate::remote::Remote;

#[test]
#[ignore = "asks a server that test-workerd starts"]
fn pages_of_the_origin_that_is_named_may_call() {
    let server = Remote::new_book().expect("CALLBOOK_WORKERD names a server");
    for (origin, may) in [("https://book.example.org", true), ("https://evil.example", false)] {
        let request = Request::builder().method(Method::OPTIONS).uri("/login");
        let request =
            request.header("origin", origin).header("access-control-request-method", "POST");
        let moment = Moment { now: Timestamp::from_millis(0), seed: [0; 32] };
        let answer = server.send(request.body(Vec::new()).unwrap(), moment);
        let allows = answer.headers().get("access-control-allow-origin");
        assert_eq!(allows.is_some_and(|it| it == origin), may, "{origin}");
    }
}
