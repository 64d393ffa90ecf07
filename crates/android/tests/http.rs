//! The real client against real sockets: what it takes for an answer, and what it says when there is none.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use callbook_android::http::{Failure, Http, Patience};
use callbook_device::{Method, NoAnswer, Request, RequestId, Response};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

fn get() -> Request {
    Request {
        id: RequestId(1),
        method: Method::Get,
        path: "/sync/contacts?limit=1".to_owned(),
        bearer: None,
        body: None,
    }
}

/// A server of one connection that says `answer`, whatever is asked; and the way to it.
fn server(answer: &'static [u8], then: impl FnOnce() + Send + 'static) -> Http {
    let address = address(answer, |_| then());
    Http::new(address.parse().unwrap(), [])
}

/// Its address.
fn address(answer: &'static [u8], then: impl FnOnce(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(answer).unwrap();
        stream.flush().unwrap();
        then(&mut stream);
    });
    format!("http://127.0.0.1:{port}")
}

fn check(
    answer: &'static str,
    expected: Result<(u16, Option<u64>, &str), NoAnswer>,
    why: Option<Failure>,
) {
    let mut http = server(answer.as_bytes(), || ());
    let seen = http.ask(get());
    let expected = expected.map(|(status, retry_after, body)| Response {
        status,
        retry_after,
        body: body.as_bytes().to_vec(),
    });
    assert_eq!(seen, expected, "{answer:?}");
    assert_eq!(http.failure(), why, "{answer:?}");
}

#[test]
fn answers() {
    const JSON: &str = "Content-Type: application/json\r\n";
    let said = |head: &str, body: &str| -> &'static str {
        format!("HTTP/1.1 {head}Content-Length: {}\r\n\r\n{body}", body.len()).leak()
    };
    let json = |head: &str| said(&format!("{head}{JSON}"), "{}");
    check(json("200 OK\r\n"), Ok((200, None, "{}")), None);
    check(json("503 Unavailable\r\nRetry-After: 17\r\n"), Ok((503, Some(17), "{}")), None);
    check(
        json(
            "429 Slow\r\nDate: Thu, 26 Nov 2026 05:00:00 GMT\r\nRetry-After: Thu, 26 Nov 2026 05:01:00 GMT\r\n",
        ),
        Ok((429, Some(60), "{}")),
        None,
    );
    check(json("429 Slow\r\nRetry-After: soon\r\n"), Ok((429, None, "{}")), None);
    check(
        said("502 Bad Gateway\r\nContent-Type: text/html\r\n", "<p>"),
        Ok((502, None, "<p>")),
        None,
    );
    // What stands between the phone and the service.
    let portal = Some(Failure::Portal);
    check(said("200 OK\r\nContent-Type: text/html\r\n", "<p>"), Ok((200, None, "<p>")), portal);
    check(
        said("302 Found\r\nLocation: http://portal.example/\r\n", ""),
        Ok((302, None, "")),
        portal,
    );
    check(said("511 Network Authentication Required\r\n", ""), Ok((511, None, "")), portal);
    // What is no answer.
    let broken = Some(Failure::Broken);
    check("SSH-2.0-OpenSSH_9.9\r\n", Err(NoAnswer::Unreachable), broken);
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"conta",
        Err(NoAnswer::Unreachable),
        broken,
    );
    check("", Err(NoAnswer::Unreachable), broken);
    check(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        Err(NoAnswer::Unreachable),
        broken,
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        Err(NoAnswer::Unreachable),
        broken,
    );
}

#[test]
fn nobody_at_home() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for address in [format!("http://127.0.0.1:{port}"), "https://nobody.invalid".to_owned()] {
        let mut http = Http::new(address.parse().unwrap(), []);
        assert_eq!(http.ask(get()), Err(NoAnswer::Unreachable));
        assert_eq!(http.failure(), Some(Failure::Offline), "{address}");
    }
}

#[test]
fn a_server_that_is_too_slow() {
    const LONG: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let (short, long) = (Duration::from_millis(150), Duration::from_secs(60));
    let check = |answer: &'static [u8], silence: Duration, whole: Duration| {
        let (release, held) = std::sync::mpsc::channel::<()>();
        // A byte now and then, until the end of the test.
        let trickle = move |stream: &mut TcpStream| {
            let mut is_there = !answer.is_empty();
            while held
                .recv_timeout(Duration::from_millis(20))
                .is_err_and(|it| it == RecvTimeoutError::Timeout)
            {
                is_there = is_there && stream.write_all(b" ").is_ok();
            }
        };
        let address = address(answer, trickle);
        let patience = Patience { connect: long, silence, whole };
        let mut http = Http::with_patience(address.parse().unwrap(), [], patience);
        assert_eq!(http.ask(get()), Err(NoAnswer::TimedOut));
        assert_eq!(http.failure(), Some(Failure::TimedOut));
        drop(release);
    };
    // It says nothing; and it says something, without end.
    check(b"", short, long);
    check(LONG, long, short);
}

#[test]
fn a_request_is_given_up_from_another_thread() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let mut http = server(b"", move || _ = held.recv());
    let cancel = http.cancel();
    let other = cancel.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        other.cancel();
    });
    // The server says nothing until the end of the test: only the other thread can end this.
    assert_eq!(http.ask(get()), Err(NoAnswer::Unreachable));
    assert_eq!(http.failure(), Some(Failure::Cancelled));
    thread.join().unwrap();
    // Nor does a later one go out, until somebody wants it.
    assert_eq!(http.ask(get()), Err(NoAnswer::Unreachable));
    assert_eq!(http.failure(), Some(Failure::Cancelled));
    cancel.clear();
    drop(release);
    assert_eq!(http.ask(get()), Err(NoAnswer::Unreachable));
    assert_ne!(http.failure(), Some(Failure::Cancelled));
}

/// A certificate for `name`, and a server on this machine that shows it.
fn tls_server(name: &str, version: &'static SupportedProtocolVersion) -> (Vec<u8>, u16) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        // A client that does not trust the certificate goes away here.
        if stream.read(&mut [0; 4096]).is_ok() {
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (der, port)
}

#[test]
fn only_who_the_phone_trusts() {
    let check = |name: &str, trusts: bool, why: Option<Failure>| {
        for version in [&TLS12, &TLS13] {
            let (der, port) = tls_server(name, version);
            let roots: &[&[u8]] = if trusts { &[&der] } else { &[] };
            let server = format!("https://localhost:{port}").parse().unwrap();
            let mut http = Http::new(server, roots.iter().copied());
            let seen = (http.ask(get()).is_ok(), http.failure());
            assert_eq!(seen, (why.is_none(), why), "{name} {trusts} {version:?}");
        }
    };
    check("localhost", true, None);
    check("localhost", false, Some(Failure::Certificate));
    check("other.example", true, Some(Failure::Certificate));
}
