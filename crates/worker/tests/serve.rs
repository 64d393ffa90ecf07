//! The native server as a process: its start, a request over a real socket, its ends.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn serve(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callbook-serve"));
    command.args(args).current_dir(dir).env_remove("SETUP_TOKEN").env_remove("JWT_SECRET");
    command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server on a free port and reads what it says, down to the last hint.
fn start(dir: &Path, env: &[(&str, &str)]) -> (Child, String) {
    let mut server = serve(dir, &["--listen", "127.0.0.1:0"], env).spawn().unwrap();
    let mut said = String::new();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let last = line.starts_with("Stop it") || line.starts_with("choice,");
        said += &(line + "\n");
        if last {
            break;
        }
    }
    (server, said)
}

fn address(said: &str) -> String {
    let line = said.lines().next().unwrap();
    line.rsplit_once("http://").unwrap().1.to_owned()
}

fn post(address: &str, path: &str, body: &str) -> String {
    post_as("", address, path, body)
}

fn post_as(token: &str, address: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What a new server said it made.
fn secret(said: &str, name: &str) -> String {
    let line = said.lines().find(|line| line.contains(&format!("export {name}="))).unwrap();
    line.split_once('=').unwrap().1.to_owned()
}

/// Makes the first admin.
fn set_up(said: &str) {
    let setup = format!(
        r#"{{"setup_token":"{}","username":"ann","password":"choose a long one"}}"#,
        secret(said, "SETUP_TOKEN")
    );
    let answer = post(&address(said), "/setup", &setup);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

fn stop(server: Child, signal: &str) -> Output {
    let pid = server.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    server.wait_with_output().unwrap()
}

#[test]
fn a_server_starts_serves_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let (server, said) = start(dir.path(), &[]);
    let secret = |name| secret(&said, name);
    set_up(&said);
    let ended = stop(server, "-TERM");
    assert!(ended.status.success());
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(log.contains("route=\"/setup\" status=201") && log.contains("stopped"), "{log}");
    assert!(!log.contains("choose a long one") && !log.contains(&secret("SETUP_TOKEN")), "{log}");

    // The next start needs the secret, and says so.
    let without = serve(dir.path(), &["--listen", "127.0.0.1:0"], &[]).output().unwrap();
    let message = String::from_utf8(without.stderr).unwrap();
    assert!(!without.status.success() && message.contains("JWT_SECRET is not set"), "{message}");
    let jwt = secret("JWT_SECRET");
    let (server, said) = start(dir.path(), &[("JWT_SECRET", &jwt)]);
    assert!(!said.contains("export"), "secrets are shown once: {said}");
    let login =
        r#"{"username":"ann","password":"choose a long one","device":{"name":"","platform":""}}"#;
    let answer = post(&address(&said), "/login", login);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\nserver-timing: db;dur="), "{answer}");
    let ended = stop(server, "-INT");
    assert!(ended.status.success());
    let log = String::from_utf8(ended.stderr).unwrap();
    // One line for the request, with how long it took.
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("/login")).collect();
    assert!(matches!(lines[..], [line] if line.contains("db_ms=")), "{log}");
}

#[test]
fn phones_that_push_at_the_same_time_all_come_through() {
    const PUSHES: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let (server, said) = start(dir.path(), &[]);
    set_up(&said);
    let address = address(&said);
    let login =
        r#"{"username":"ann","password":"choose a long one","device":{"name":"","platform":""}}"#;
    let sign_in = |_| {
        let answer = post(&address, "/login", login);
        let token = answer.split("\"access_token\":\"").nth(1).unwrap();
        token.split('"').next().unwrap().to_owned()
    };
    let tokens: Vec<String> = (0..8).map(sign_in).collect();
    std::thread::scope(|scope| {
        for (phone, token) in tokens.iter().enumerate() {
            let address = &address;
            scope.spawn(move || {
                for n in 1..=PUSHES {
                    let id = format!("01890a5d-ac96-774b-bcce-{phone:04}{n:08}");
                    let body = format!(
                        r#"{{"sent_at":"2026-11-22T10:00:00.000Z","ops":[{{"op_seq":{n},"op_id":"o{n}","op":"put",
                        "id":"{id}","base_rev":0,"set":{{"name":"{phone} {n}"}}}}]}}"#
                    );
                    let answer = post_as(token, address, "/sync/contacts", &body);
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    assert!(answer.contains("\"applied\""), "{answer}");
                }
            });
        }
    });
    stop(server, "-TERM");
}

#[test]
fn whoever_is_slow_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--listen", "127.0.0.1:0", "--longest-request", "1"];
    let mut server = serve(dir.path(), &args, &[]).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let address = address(&said);
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    // All that is answered until the connection ends.
    let ended = |mut stream: TcpStream| {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            read => drop(read.expect("the connection ends")),
        }
        String::from_utf8(answer).unwrap()
    };

    // A body that stops.
    let mut stream = connect();
    let head =
        "POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let answer = ended(stream);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too_slow"), "{answer}");
    assert!(answer.contains("\r\nx-request-id: ") && answer.contains("nosniff"), "{answer}");

    // A head that comes a byte at a time and has no end.
    let stream = connect();
    let mut writes = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        let head = "GET /health HTTP/1.1\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'x'));
        for byte in head {
            std::thread::sleep(Duration::from_millis(20));
            if writes.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let answer = ended(stream);
    assert!(!answer.contains("200 OK"), "{answer}");
    trickle.join().unwrap();

    // No head at all.
    assert!(!ended(connect()).contains("200 OK"));

    // Others are served.
    let answer = post(&address, "/login", "{}");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(stop(server, "-TERM").status.success());
}

#[test]
fn large_answers_are_packed_for_who_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let (server, said) = start(dir.path(), &[]);
    let get = |path: &str, accepts: &str| {
        let mut stream = TcpStream::connect(address(&said)).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{accepts}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        (text.contains("\r\ncontent-encoding: gzip\r\n"), answer.len())
    };
    let gzip = "Accept-Encoding: gzip, deflate\r\n";
    let (is_packed, bytes) = get("/openapi.json", gzip);
    let (is_plain, plain) = (!get("/openapi.json", "").0, get("/openapi.json", "").1);
    assert!(is_packed && is_plain && bytes * 3 < plain, "{bytes} of {plain}");
    assert!(!get("/health", gzip).0, "a small answer");
    assert!(stop(server, "-TERM").status.success());
}

#[test]
fn a_start_gives_a_book_the_keys_of_its_release() {
    let dir = tempfile::tempdir().unwrap();
    let (server, said) = start(dir.path(), &[]);
    let jwt = secret(&said, "JWT_SECRET");
    set_up(&said);
    stop(server, "-TERM");

    // As an older release would have left it, to which this number had no key.
    let book = rusqlite::Connection::open(dir.path().join("callbook.db")).unwrap();
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    book.execute_batch(&format!(
        r#"UPDATE book SET tables = 'older', rev = 1, visible = 1;
           INSERT INTO contacts (id, created_at, rev, state, keys, asleep, took, edit_rev, edit_at,
             edit_user, edit_device, fields, size)
           VALUES ('{id}', 1, 1, 0, '[]', '[]', '[]', 1, 1, '{id}', '{id}',
             '{{"phones":[{{"number":"(415) 555-2671","region":"US","key":null}}]}}', 60)"#
    ))
    .unwrap();
    let (server, _) = start(dir.path(), &[("JWT_SECRET", &jwt)]);
    let log = String::from_utf8(stop(server, "-TERM").stderr).unwrap();
    assert!(log.contains("new numbering tables contacts=1 calls=0"), "{log}");
    // Longer than the digits of a time of day, which may be any.
    assert!(!log.contains("555-2671") && !log.contains("5552671"), "{log}");
    let sql = "SELECT tables, (SELECT keys FROM contacts), (SELECT key FROM claims) FROM book";
    let row = book.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
    let [tables, keys, claim]: [String; 3] = row.unwrap();
    assert_eq!(tables, callbook_dedup::Tables::CURRENT.version);
    assert_eq!((keys.as_str(), claim.as_str()), (r#"["+14155552671"]"#, "+14155552671"));
}

#[test]
fn a_start_after_a_restore_says_so_to_phones() {
    let dir = tempfile::tempdir().unwrap();
    let (server, said) = start(dir.path(), &[]);
    let jwt = secret(&said, "JWT_SECRET");
    set_up(&said);
    stop(server, "-TERM");
    let epoch = || {
        let book = rusqlite::Connection::open(dir.path().join("callbook.db")).unwrap();
        book.query_row("SELECT epoch FROM book", [], |row| row.get::<_, String>(0)).unwrap()
    };
    let before = epoch();
    let args = ["--listen", "127.0.0.1:0", "--restored"];
    let mut server = serve(dir.path(), &args, &[("JWT_SECRET", &jwt)]).spawn().unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let log = String::from_utf8(stop(server, "-TERM").stderr).unwrap();
    assert!(log.contains("marked as restored"), "{log}");
    let after = epoch();
    assert_ne!(before, after);

    // Without the flag it stays as it is.
    let (server, _) = start(dir.path(), &[("JWT_SECRET", &jwt)]);
    stop(server, "-TERM");
    assert_eq!(epoch(), after);
}

#[test]
fn a_start_that_cannot_be_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "these are notes, and not a database at all\n")
        .unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().to_string();
    let check = |args: &[&str], env: &[(&str, &str)], words: &str| {
        let output = serve(dir.path(), args, env).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(words), "{args:?}: {message}");
    };
    check(&["--listen", "nowhere"], &[], "invalid value 'nowhere'");
    check(&["--listen", &busy], &[], "Name another address with --listen");
    check(&["--listen", "127.0.0.1:0", "--db", "notes.txt"], &[], "notes.txt");
    check(&["--listen", "127.0.0.1:0", "--db", "no/such/dir/x.db"], &[], "no/such/dir/x.db");
    check(&["--listen", "127.0.0.1:0"], &[("JWT_SECRET", "short")], "at least 32 bytes");
    check(&["--port", "1"], &[], "unexpected argument");
    let jwt = [("JWT_SECRET", "a secret of more than thirty-two bytes")];
    let new = ["--listen", "127.0.0.1:0", "--db", "new.db", "--restored"];
    check(&new, &jwt, "put the backup in its place");
}
