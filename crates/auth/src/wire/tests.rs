//! One snapshot of each message, and what is refused.

use insta::assert_snapshot;
use serde::de::DeserializeOwned;

use super::*;

const USER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const DEVICE: &str = "01890a5d-ac97-774b-bcce-b302099a8057";

fn user() -> UserView {
    UserView {
        id: USER.parse().unwrap(),
        username: "ann".parse().unwrap(),
        role: Role::Admin,
        disabled: false,
        created_at: Timestamp::from_millis(0),
    }
}

fn device() -> DeviceView {
    DeviceView {
        id: DEVICE.parse().unwrap(),
        user: USER.parse().unwrap(),
        name: "Pixel 9".parse().unwrap(),
        platform: "android 16".parse().unwrap(),
        created_at: Timestamp::from_millis(0),
        last_seen_at: None,
        acked_seq: 0,
        ended_at: None,
    }
}

/// The message as JSON, once it has been seen to read back, and to print no secret (all of these
/// hold `hunter`).
#[track_caller]
fn check<T>(message: T) -> String
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert!(!format!("{message:?}").contains("hunter"), "{message:?}");
    let json = serde_json::to_string_pretty(&message).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), message);
    json
}

#[test]
fn setup() {
    let request = SetupRequest {
        setup_token: "hunter-setup".into(),
        username: "Ann".into(),
        password: "hunter-password".into(),
    };
    assert_snapshot!(check(request), @r#"
    {
      "setup_token": "hunter-setup",
      "username": "Ann",
      "password": "hunter-password"
    }
    "#);
    assert_snapshot!(check(UserAnswer { user: user() }), @r#"
    {
      "user": {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "username": "ann",
        "role": "admin",
        "disabled": false,
        "created_at": "1970-01-01T00:00:00.000Z"
      }
    }
    "#);
}

#[test]
fn login() {
    let request = LoginRequest {
        username: " Ann".into(),
        password: "hunter2".into(),
        device: NewDevice {
            name: "Pixel 9".parse().unwrap(),
            platform: "android 16".parse().unwrap(),
            replaces: Some(DEVICE.parse().unwrap()),
        },
    };
    assert_snapshot!(check(request), @r#"
    {
      "username": " Ann",
      "password": "hunter2",
      "device": {
        "name": "Pixel 9",
        "platform": "android 16",
        "replaces": "01890a5d-ac97-774b-bcce-b302099a8057"
      }
    }
    "#);
}

#[test]
fn token() {
    let request = TokenRequest { refresh_token: "cbr_hunter".into() };
    assert_snapshot!(check(request), @r#"
    {
      "refresh_token": "cbr_hunter"
    }
    "#);
}

#[test]
fn session() {
    let refresh = RefreshToken::new([0; 32]);
    let answer = SessionAnswer::new("a.hunter.c".into(), &refresh, user(), device());
    assert!(!format!("{answer:?}").contains("cbr_"));
    assert_snapshot!(check(answer), @r#"
    {
      "access_token": "a.hunter.c",
      "token_type": "Bearer",
      "expires_in": 900,
      "refresh_token": "cbr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "user": {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "username": "ann",
        "role": "admin",
        "disabled": false,
        "created_at": "1970-01-01T00:00:00.000Z"
      },
      "device": {
        "id": "01890a5d-ac97-774b-bcce-b302099a8057",
        "user": "01890a5d-ac96-774b-bcce-b302099a8057",
        "name": "Pixel 9",
        "platform": "android 16",
        "created_at": "1970-01-01T00:00:00.000Z",
        "acked_seq": 0
      }
    }
    "#);
}

#[test]
fn me() {
    assert_snapshot!(check(MeAnswer { user: user(), device: device() }), @r#"
    {
      "user": {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "username": "ann",
        "role": "admin",
        "disabled": false,
        "created_at": "1970-01-01T00:00:00.000Z"
      },
      "device": {
        "id": "01890a5d-ac97-774b-bcce-b302099a8057",
        "user": "01890a5d-ac96-774b-bcce-b302099a8057",
        "name": "Pixel 9",
        "platform": "android 16",
        "created_at": "1970-01-01T00:00:00.000Z",
        "acked_seq": 0
      }
    }
    "#);
}

#[test]
fn change_password() {
    let request = ChangePasswordRequest {
        current_password: "hunter-old".into(),
        new_password: "hunter-new".into(),
    };
    assert_snapshot!(check(request), @r#"
    {
      "current_password": "hunter-old",
      "new_password": "hunter-new"
    }
    "#);
}

#[test]
fn users() {
    let create = CreateUserRequest {
        username: "bob".into(),
        password: "hunter-password".into(),
        role: Role::Member,
    };
    assert_snapshot!(check(create), @r#"
    {
      "username": "bob",
      "password": "hunter-password",
      "role": "member"
    }
    "#);
    let patch = PatchUserRequest {
        role: Some(Role::Member),
        disabled: Some(true),
        password: Some("hunter-password".into()),
    };
    assert_snapshot!(check(patch), @r#"
    {
      "role": "member",
      "disabled": true,
      "password": "hunter-password"
    }
    "#);
    assert_snapshot!(check(PatchUserRequest::default()), @"{}");
    assert_snapshot!(check(UsersAnswer { users: vec![user()] }), @r#"
    {
      "users": [
        {
          "id": "01890a5d-ac96-774b-bcce-b302099a8057",
          "username": "ann",
          "role": "admin",
          "disabled": false,
          "created_at": "1970-01-01T00:00:00.000Z"
        }
      ]
    }
    "#);
}

#[test]
fn devices() {
    let ended = DeviceView {
        last_seen_at: Some(Timestamp::from_millis(1)),
        acked_seq: 42,
        ended_at: Some(Timestamp::from_millis(2)),
        ..device()
    };
    let ended = DeviceStatus {
        device: ended,
        username: user().username,
        version: Some("Callbook/1.2".into()),
        last_sync_at: Some(Timestamp::from_millis(1)),
        pending: 3,
        stale_since: Some(Timestamp::from_millis(2)),
    };
    assert_snapshot!(check(DevicesAnswer { devices: vec![ended] }), @r#"
    {
      "devices": [
        {
          "id": "01890a5d-ac97-774b-bcce-b302099a8057",
          "user": "01890a5d-ac96-774b-bcce-b302099a8057",
          "name": "Pixel 9",
          "platform": "android 16",
          "created_at": "1970-01-01T00:00:00.000Z",
          "last_seen_at": "1970-01-01T00:00:00.001Z",
          "acked_seq": 42,
          "ended_at": "1970-01-01T00:00:00.002Z",
          "username": "ann",
          "version": "Callbook/1.2",
          "last_sync_at": "1970-01-01T00:00:00.001Z",
          "pending": 3,
          "stale_since": "1970-01-01T00:00:00.002Z"
        }
      ]
    }
    "#);
}

#[test]
fn the_audit() {
    let entry = AuditEntry {
        at: Timestamp::from_millis(1),
        act: Act::SignInFailed,
        user: None,
        username: None,
        device: None,
        address: Some("10.0.0.1".into()),
        subject: None,
    };
    // Nobody and no address: it may come into a log.
    assert_eq!(format!("{entry:?}"), "AuditEntry(1970-01-01T00:00:00.001Z, sign_in_failed)");
    assert_snapshot!(check(AuditAnswer { entries: vec![entry], cursor: None }), @r#"
    {
      "entries": [
        {
          "at": "1970-01-01T00:00:00.001Z",
          "act": "sign_in_failed",
          "user": null,
          "username": null,
          "device": null,
          "address": "10.0.0.1",
          "subject": null
        }
      ],
      "cursor": null
    }
    "#);
}

#[test]
fn requests_are_read_or_refused() {
    #[track_caller]
    fn check<T: DeserializeOwned>(json: &str, ok: bool) {
        assert_eq!(serde_json::from_str::<T>(json).is_ok(), ok, "{json}");
    }
    let login = |device: &str| {
        format!(r#"{{"username":"ann","password":"x","device":{{{device}}},"more":[1]}}"#)
    };
    check::<LoginRequest>(&login(r#""name":"","platform":"","more":1"#), true);
    check::<LoginRequest>(&login(r#""name":"","platform":"","replaces":null"#), true);
    check::<LoginRequest>(&login(r#""name":"","platform":"","replaces":"x""#), false);
    check::<LoginRequest>(&login(r#""name":"a\u0000","platform":"""#), false);
    check::<LoginRequest>(&login(r#""name":"","platform":"a\u0000""#), false);
    check::<LoginRequest>(&login(r#""name":"""#), false);
    check::<LoginRequest>(r#"{"username":"ann","password":"x"}"#, false);
    check::<LoginRequest>(r#"{"username":"ann","password":"x","device":null}"#, false);
    check::<TokenRequest>(r#"{"refresh_token":"any text","more":1}"#, true);
    check::<TokenRequest>(r#"{"refresh_token":null}"#, false);
    check::<TokenRequest>(r#"{}"#, false);
    check::<PatchUserRequest>(r#"{"role":null,"disabled":null,"password":null,"more":1}"#, true);
    check::<PatchUserRequest>(r#"{"role":"owner"}"#, false);
    check::<PatchUserRequest>(r#"{"disabled":1}"#, false);
    check::<CreateUserRequest>(r#"{"username":"bob","password":"x"}"#, false);
}
