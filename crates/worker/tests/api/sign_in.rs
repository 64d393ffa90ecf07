//! Section 7, as far as it stands.

use super::*;

#[tokio::test]
async fn a_server_is_set_up_once() {
    let mut service = Service::bare();
    let setup = |token: &str, name: &str, password: &str| json!({ "setup_token": token, "username": name, "password": password });
    let wrong = service.post("/setup", None, &setup("guess", "ann", PASSWORD)).await;
    assert_eq!(wrong.problem(), (401, "invalid_setup_token"));
    let short = service.post("/setup", None, &setup("let me in", "ann", "short")).await;
    assert_eq!(short.problem(), (400, "password_too_short"));
    let name = service.post("/setup", None, &setup("let me in", "a b", PASSWORD)).await;
    assert_eq!(name.problem(), (400, "invalid_username"));
    let done = service.post("/setup", None, &setup("let me in", "Ann", PASSWORD)).await;
    assert_eq!(done.status, StatusCode::CREATED);
    assert_eq!(
        (&done.body["user"]["username"], &done.body["user"]["role"]),
        (&json!("ann"), &json!("admin"))
    );
    let again = service.post("/setup", None, &setup("guess", "eve", PASSWORD)).await;
    assert_eq!(again.problem(), (409, "already_set_up"));
}

#[tokio::test]
async fn a_wrong_name_a_wrong_password_and_a_disabled_user_answer_alike() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let bob = service.log_in("bob").await;
    let bob_id = service.get("/me", &bob).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let disable = json!({ "disabled": true }).to_string().into_bytes();
    service.send(Method::PATCH, &format!("/users/{bob_id}"), Some(&ann), disable).await.ok();
    let mut bodies = Vec::new();
    for (name, password) in
        [("eve", PASSWORD), ("ann", "wrong password"), ("bob", PASSWORD), ("a b", PASSWORD)]
    {
        let request = json!({ "username": name, "password": password, "device": { "name": "", "platform": "" } });
        let answer = service.post("/login", None, &request).await;
        assert_eq!(answer.problem(), (401, "invalid_credentials"));
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    // A disabled user is shut out at once.
    assert_eq!(service.get("/me", &bob).await.problem(), (401, "token_invalid"));
}

#[tokio::test]
async fn tokens_expire_and_are_refreshed() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    service.now = service.now.plus_millis(900_000);
    assert_eq!(service.get("/me", &ann).await.problem(), (401, "token_expired"));
    let request = json!({ "refresh_token": ann.refresh });
    let first = phone(&service.post("/token", None, &request).await.ok());
    // Its answer was lost: the same one gives another pair.
    let second = phone(&service.post("/token", None, &request).await.ok());
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(service.get("/me", &second).await.ok()["device"]["id"], ann.device);
    // A successor used, the older one is a copy's: the device ends.
    let request = json!({ "refresh_token": second.refresh });
    let third = phone(&service.post("/token", None, &request).await.ok());
    let request = json!({ "refresh_token": ann.refresh });
    assert_eq!(service.post("/token", None, &request).await.problem(), (401, "token_reused"));
    assert_eq!(service.get("/me", &third).await.problem(), (401, "token_reused"));
    for text in ["", "cbr_x", "no token"] {
        let request = json!({ "refresh_token": text });
        assert_eq!(service.post("/token", None, &request).await.problem(), (401, "token_invalid"));
    }
}

#[tokio::test]
async fn forged_tokens_let_nobody_in() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let other = SigningKeys::new("another secret of thirty-two bytes", None).unwrap();
    let access = callbook_auth::Access {
        user: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        device: ann.device.parse().unwrap(),
        role: callbook_auth::Role::Admin,
    };
    let mut forged = ann.clone();
    for token in [other.issue(&access, service.now).expose(), "x"] {
        forged.access = token.to_owned();
        assert_eq!(service.get("/me", &forged).await.problem(), (401, "token_invalid"));
    }
    forged.access = String::new();
    assert_eq!(service.get("/me", &forged).await.problem(), (401, "token_missing"));
    let none = service.send(Method::GET, "/me", None, Vec::new()).await;
    assert_eq!(none.problem(), (401, "token_missing"));
}

#[tokio::test]
async fn logging_out_ends_the_device() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let answer = service.post("/logout", Some(&ann), &json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(service.get("/me", &ann).await.problem(), (401, "token_invalid"));
    assert_eq!(
        service.post("/sync/calls", Some(&ann), &json!({ "calls": [] })).await.problem(),
        (401, "token_invalid")
    );
    let request = json!({ "refresh_token": ann.refresh });
    assert_eq!(service.post("/token", None, &request).await.problem(), (401, "token_invalid"));
}

#[tokio::test]
async fn admins_keep_users_and_members_their_devices() {
    let mut service = Service::new().await;
    let (ann, bob) = (service.log_in("ann").await, service.log_in("bob").await);
    let new = json!({ "username": "cid", "password": PASSWORD, "role": "member" });
    assert_eq!(service.post("/users", Some(&bob), &new).await.problem(), (403, "forbidden"));
    assert_eq!(service.get("/users", &bob).await.problem(), (403, "forbidden"));
    service.post("/users", Some(&ann), &new).await.ok();
    assert_eq!(service.post("/users", Some(&ann), &new).await.problem(), (409, "username_taken"));
    let users = service.get("/users", &ann).await.ok();
    let names: Vec<&Value> =
        users["users"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["ann", "bob", "cid"]);

    let own = service.get("/devices", &bob).await.ok();
    assert_eq!(own["devices"].as_array().unwrap().len(), 1);
    let all = service.get("/devices", &ann).await.ok();
    assert_eq!(all["devices"].as_array().unwrap().len(), 3);
    let mut end = async |phone: &Phone, of: &Phone| {
        let path = format!("/devices/{}", of.device);
        service.send(Method::DELETE, &path, Some(phone), Vec::new()).await
    };
    assert_eq!(end(&bob, &ann).await.problem(), (403, "forbidden"));
    assert_eq!(end(&ann, &bob).await.status, StatusCode::NO_CONTENT);
    assert_eq!(end(&bob, &bob).await.problem(), (401, "token_invalid"));

    // A role counts from the next request, and the last admin stays one.
    let me = service.get("/me", &ann).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/users/{me}");
    let demote = json!({ "role": "member" }).to_string().into_bytes();
    let last = service.send(Method::PATCH, &path, Some(&ann), demote.clone()).await;
    assert_eq!(last.problem(), (409, "last_admin"));
    let cid = users["users"][2]["id"].as_str().unwrap();
    let promote =
        json!({ "role": "admin", "password": "another password" }).to_string().into_bytes();
    service.send(Method::PATCH, &format!("/users/{cid}"), Some(&ann), promote).await.ok();
    service.send(Method::PATCH, &path, Some(&ann), demote).await.ok();
    assert_eq!(service.get("/users", &ann).await.problem(), (403, "forbidden"));
    let nobody = format!("/users/{}", id(1));
    let cid = service
        .log_in_as(json!({ "username": "cid", "password": "another password",
        "device": { "name": "", "platform": "" } }))
        .await;
    let answer = service.send(Method::PATCH, &nobody, Some(&cid), b"{}".to_vec()).await;
    assert_eq!(answer.problem(), (404, "not_found"));
}

#[tokio::test]
async fn a_new_password_ends_the_other_devices() {
    const NEW: &str = "another long password";
    let mut service = Service::new().await;
    let (ann, bob, other) =
        (service.log_in("ann").await, service.log_in("bob").await, service.log_in("bob").await);
    let with = |password: &str| {
        json!({ "username": "bob", "password": password,
                "device": { "name": "", "platform": "" } })
    };
    let mut change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        service.post("/me/password", Some(&bob), &body).await
    };
    assert_eq!(change("wrong password", NEW).await.problem(), (401, "invalid_credentials"));
    assert_eq!(change(PASSWORD, "short").await.problem(), (400, "password_too_short"));
    let answer = change(PASSWORD, NEW).await;
    assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(change(PASSWORD, NEW).await.problem(), (401, "invalid_credentials"));

    service.get("/me", &bob).await.ok();
    service.get("/me", &ann).await.ok();
    assert_eq!(service.get("/me", &other).await.problem(), (401, "token_invalid"));
    let refresh = json!({ "refresh_token": other.refresh });
    assert_eq!(service.post("/token", None, &refresh).await.problem(), (401, "token_invalid"));
    let old = service.post("/login", None, &with(PASSWORD)).await;
    assert_eq!(old.problem(), (401, "invalid_credentials"));
    let again = service.log_in_as(with(NEW)).await;

    // An admin's word ends them all, and what is refused ends none.
    let me = service.get("/me", &ann).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let refused = json!({ "role": "member", "password": NEW }).to_string().into_bytes();
    let second = service.log_in("ann").await;
    let answer = service.send(Method::PATCH, &format!("/users/{me}"), Some(&ann), refused).await;
    assert_eq!(answer.problem(), (409, "last_admin"));
    service.get("/me", &second).await.ok();
    let bob_id = service.get("/me", &bob).await.ok()["user"]["id"].as_str().unwrap().to_owned();
    let reset = json!({ "password": PASSWORD }).to_string().into_bytes();
    service.send(Method::PATCH, &format!("/users/{bob_id}"), Some(&ann), reset).await.ok();
    for phone in [&bob, &again] {
        assert_eq!(service.get("/me", phone).await.problem(), (401, "token_invalid"));
    }
    service.log_in("bob").await;
    service.get("/me", &ann).await.ok();
}
