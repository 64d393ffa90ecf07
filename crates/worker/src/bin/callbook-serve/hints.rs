//! What a newcomer reads at the start: where the server is, its secrets once, and the next step.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use callbook_base::{ContactId, Timestamp};

/// Secrets that were made just now.
pub(crate) struct Made {
    pub(crate) setup_token: Option<String>,
    pub(crate) jwt_secret: Option<String>,
}

/// Where the server stands.
pub(crate) struct Start<'a> {
    pub(crate) listen: SocketAddr,
    pub(crate) db: &'a Path,
    pub(crate) made: &'a Made,
    /// Whether there is a token for the set-up.
    pub(crate) has_setup_token: bool,
    /// Whether there are users.
    pub(crate) is_set_up: bool,
    /// For the examples.
    pub(crate) now: Timestamp,
    pub(crate) contact: ContactId,
}

/// The lines of the start, at most 80 columns but for the secrets' own.
pub(crate) fn started(start: &Start<'_>) -> String {
    let Start { listen, db, made, has_setup_token, is_set_up, now, contact } = start;
    let mut text = format!("Callbook serves {} on http://{listen}\n\n", db.display());
    let secrets = [("SETUP_TOKEN", &made.setup_token), ("JWT_SECRET", &made.jwt_secret)];
    let export = |(name, secret): (&str, &Option<String>)| {
        secret.as_ref().map(|secret| format!("  export {name}={secret}\n"))
    };
    let secrets: String = secrets.into_iter().filter_map(export).collect();
    if !secrets.is_empty() {
        let _ = write!(
            text,
            "This database is new. Keep its secrets: they are not shown again, and the next
start needs JWT_SECRET.

{secrets}
"
        );
    }
    if !is_set_up && !has_setup_token {
        text += "Nobody can sign in yet. Start it again with SETUP_TOKEN set to a secret of your
choice, and it shows how to make the first admin.
";
        return text;
    }
    let _ = write!(
        text,
        "In another terminal{}:

  BOOK=http://{listen}
",
        if *is_set_up { "" } else { ", where SETUP_TOKEN is exported too" },
    );
    if !is_set_up {
        text += r#"
Make the first admin:

  curl $BOOK/setup -d '{"username": "ann", "password": "choose a long one",
    "setup_token": "'$SETUP_TOKEN'"}'
"#;
    }
    text += r#"
Sign in:

  TOKEN=$(curl -s $BOOK/login -d '{"username": "ann",
    "password": "choose a long one",
    "device": {"name": "terminal", "platform": "curl"}}' |
    sed 's/.*"access_token":"\([^"]*\).*/\1/')

Push a contact and pull the book:
"#;
    let _ = write!(
        text,
        r#"
  curl $BOOK/sync/contacts -H "Authorization: Bearer $TOKEN" -d '{{
    "region": "US", "sent_at": "{now}", "ops": [{{
      "op_seq": 1, "op_id": "first", "op": "put", "base_rev": 0,
      "id": "{contact}",
      "set": {{"name": "Ann Lee"}},
      "add": {{"phones": [{{"number": "(415) 555-2671"}}]}}}}]}}'

  curl $BOOK/sync/contacts -H "Authorization: Bearer $TOKEN"

Stop it with Ctrl-C.
"#
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_at_every_start() {
        #[track_caller]
        fn check(made: bool, token: bool, set_up: bool) -> String {
            let secret = made.then(|| "0".repeat(64));
            let made = Made { setup_token: secret.clone(), jwt_secret: secret };
            let text = started(&Start {
                listen: "127.0.0.1:8787".parse().unwrap(),
                db: Path::new("callbook.db"),
                made: &made,
                has_setup_token: token,
                is_set_up: set_up,
                now: "2026-11-22T10:00:00.000Z".parse().unwrap(),
                contact: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            });
            let long = text.lines().filter(|line| !line.contains("export"));
            for line in long {
                assert!(line.chars().count() <= 80, "{line}");
            }
            text
        }
        insta::assert_snapshot!("new", check(true, true, false));
        insta::assert_snapshot!("no_token", check(false, false, false));
        insta::assert_snapshot!("set_up", check(false, false, true));
    }
}
