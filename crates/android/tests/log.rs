//! What a sync leaves in the phone's log.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use callbook_android::Phone;
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::{Value, json};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps all that is logged, of this library and of those that it uses.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        LINES.lock().unwrap().push(format!("{} {}", record.target(), record.args()));
    }
    fn flush(&self) {}
}

/// A server that refuses all that is asked, with a body that says what it was sent.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.unwrap(), [0; 65_536]);
            let read = stream.read(&mut bytes).unwrap();
            let asked = String::from_utf8_lossy(&bytes[..read]);
            let body = json!({ "code": "invalid_credentials", "detail": asked }).to_string();
            let answer = format!(
                "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn a_sync_is_logged_without_what_people_typed() {
    log::set_logger(&Keeper).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "store": folder.path().join("store.db"), "server": format!("http://127.0.0.1:{}", server()),
        "session": { "access": "token-access", "refresh": "token-refresh" },
    });
    let mut phone = Phone::open(serde_json::from_value(config).unwrap()).unwrap();
    let mut call = |command: Value| -> Value {
        let answer = phone.call(command.to_string().as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["answer"].take()
    };
    let edit =
        json!({ "add": { "phones": [{ "number": "415-555-2671" }] }, "set": { "name": "Zaphod" } });
    call(json!({ "do": "create", "edit": edit }));
    call(json!({ "do": "share", "number": "+14155552671", "region": "US", "shared": true }));
    call(json!({ "do": "contacts", "query": "zaphod 2671" }));
    for password in [None, Some("hunter2")] {
        if password.is_some() {
            call(
                json!({ "do": "sign_in", "username": "zaphod", "password": password, "device": "d", "platform": "p" }),
            );
        }
        let mut next = call(json!({ "do": "begin" }));
        while next["next"] != "done" {
            next = call(match next["next"].as_str() {
                Some("calls") => json!({ "do": "step", "calls": [] }),
                _ => json!({ "do": "step" }),
            });
        }
    }
    assert!(phone.call(br#"{"do":"hunter2"}"#).is_err());
    let lines = LINES.lock().unwrap();
    let ours: Vec<&String> = lines.iter().filter(|line| line.starts_with("callbook")).collect();
    for said in [
        "Post /token: 401",
        "Post /login: 401",
        "a sync has ended: somebody must sign in (WrongCredentials)",
        "bad_command",
    ] {
        assert!(ours.iter().any(|line| line.contains(said)), "{said}: {ours:?}");
    }
    for secret in ["token-", "hunter2", "Zaphod", "zaphod", "2671"] {
        assert!(!ours.iter().any(|line| line.contains(secret)), "{secret}: {ours:?}");
    }
}
