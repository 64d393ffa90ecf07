//! Setting up, signing in, staying signed in and signing out (section 7).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use callbook_auth::wire::{
    ChangePasswordRequest, DeviceView, LoginRequest, MeAnswer, SessionAnswer, SetupRequest,
    TokenRequest, UserAnswer, UserView,
};
use callbook_auth::{
    Access, Act, AuthError, Password, RefreshToken, Role, Rotation, TokenError, Username, Verdict,
    hash, rotate, verify,
};
use callbook_base::DeviceId;

use super::guessing::Guessing;
use super::users::new_user;
use crate::app::{Address, App, AppVersion, Caller, Moment, Read};
use crate::problem::Problem;
use crate::restore::new_epoch;
use crate::sql::audit::{self, Entry};
use crate::sql::users::Account;
use crate::sql::{book, devices, users};

/// `POST /setup`: the first admin, and the book.
pub(super) async fn set_up(
    State(app): State<Arc<App>>,
    moment: Moment,
    Address(address): Address,
    Read(request): Read<SetupRequest>,
) -> Result<(StatusCode, Json<UserAnswer>), Problem> {
    let rows = app.batch(vec![users::count()]).await?;
    if rows[0].first().is_some_and(|row| row.count("users") != Ok(0)) {
        return Err(AuthError::AlreadySetUp.into());
    }
    if app.setup_token.as_ref() != Some(&request.setup_token) {
        let detail = "the setup_token is not the SETUP_TOKEN of this server";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "invalid_setup_token", detail));
    }
    let mut chance = moment.chance();
    let SetupRequest { username, password, .. } = &request;
    let (user, password) = new_user(&app, moment, &mut chance, username, password, Role::Admin)?;
    let epoch = new_epoch(&mut chance);
    let entry = Entry { address, ..Entry::of(Act::SetUp, user.id) };
    let writes = vec![
        users::create_first(&user, password),
        audit::record(&entry, moment),
        book::create(&epoch, app.tables, moment.now),
    ];
    match app.batch(writes).await?[0].changes {
        0 => Err(AuthError::AlreadySetUp.into()),
        _ => Ok((StatusCode::CREATED, Json(UserAnswer { user }))),
    }
}

/// `POST /login`: a new device.
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    moment: Moment,
    Address(address): Address,
    AppVersion(version): AppVersion,
    Read(request): Read<LoginRequest>,
) -> Result<Json<SessionAnswer>, Problem> {
    let mut chance = moment.chance();
    // A name that nobody can have costs the same as a wrong password.
    let read = request.username.parse::<Username>().ok().as_ref().map(users::by_username);
    let who = (request.username.as_str(), address);
    let (guess, account) = Guessing::begin(&app, moment, &mut chance, who, read).await?;
    let stored = account.as_ref().map(|account| account.password.as_str());
    let verdict = verify(stored, &request.password, app.password_cost);
    let Account { user, password: checked } = match account {
        Some(account) if verdict != Verdict::Wrong && !account.user.disabled => account,
        _ => return Err(guess.failed().await),
    };

    let device = DeviceView {
        id: DeviceId::new(moment.now, chance.bytes()),
        user: user.id,
        name: request.device.name,
        platform: request.device.platform,
        created_at: moment.now,
        last_seen_at: None,
        acked_seq: 0,
        ended_at: None,
    };
    let refresh = RefreshToken::new(chance.bytes());
    let replaces = request.device.replaces;
    let new = devices::create(&device, replaces, refresh.hash(), &checked, version.as_deref());
    let device_id = Some(device.id);
    let entry = Entry { device: device_id, address, ..Entry::of(Act::SignedIn, user.id) };
    let mut writes = new.to_vec();
    writes.push(audit::record(&entry, moment));
    writes.extend(replaces.map(|older| devices::end_of_user(older, user.id, moment.now)));
    if verdict == Verdict::RightButRehash
        && let Ok(password) = Password::try_from(&request.password)
    {
        let password = hash(&password, chance.bytes(), app.password_cost);
        writes.push(users::rehash(user.id, password));
    }
    writes.extend(guess.succeeded());
    match app.database.batch(writes).await {
        // The password was changed, or the user disabled, while this one was checked.
        Err(error) if error.is_constraint() => return Err(guess.failed().await),
        written => written?,
    };
    Ok(Json(pair(&app, moment, &refresh, user, device)))
}

/// `POST /token`: another pair.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    moment: Moment,
    Address(address): Address,
    AppVersion(version): AppVersion,
    Read(request): Read<TokenRequest>,
) -> Result<Json<SessionAnswer>, Problem> {
    let sent: RefreshToken = request.refresh_token.expose().parse()?;
    let rows = &app.batch(vec![devices::by_refresh(sent.hash())]).await?[0];
    let session = devices::read_session(rows)?;
    let stored = devices::read_refresh(rows)?;
    let device = session.device.id;
    let (read, current) = match (stored, rotate(stored.as_ref(), moment.now)) {
        (Some(stored), Rotation::Rotate { current }) => (stored.device_current, current),
        (_, Rotation::Expired) => return Err(TokenError::Expired.into()),
        (_, Rotation::Reused) => {
            let (device, by) = (Some(device), session.user.id);
            let entry = Entry { device, address, ..Entry::of(Act::TokenReused, by) };
            let end = devices::end_reused(session.device.id, moment.now);
            app.batch(vec![end, audit::record(&entry, moment)]).await?;
            return Err(TokenError::Reused.into());
        }
        (_, Rotation::Unknown | Rotation::Rotate { .. }) => return Err(TokenError::Invalid.into()),
    };
    let next = RefreshToken::new(moment.chance().bytes());
    let version = version.as_deref();
    let writes = devices::rotate(device, read, current, next.hash(), version, moment.now);
    match app.database.batch(writes.to_vec()).await {
        Err(error) if error.is_constraint() => {
            let detail = "this phone refreshes twice at once: try again";
            let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
            return Err(busy.retry_after(1));
        }
        written => written?,
    };
    Ok(Json(pair(&app, moment, &next, session.user, session.device)))
}

fn pair(
    app: &App,
    moment: Moment,
    refresh: &RefreshToken,
    user: UserView,
    device: DeviceView,
) -> SessionAnswer {
    let access = Access { user: user.id, device: device.id, role: user.role };
    SessionAnswer::new(app.keys.issue(&access, moment.now), refresh, user, device)
}

/// `POST /logout`: the device ends. Ending one that is shut out harms nobody.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
) -> Result<StatusCode, Problem> {
    let entry = Entry::by(Act::SignedOut, &access);
    let end = vec![devices::end(access.device, moment.now), audit::record(&entry, moment)];
    let (session, _) = app.session(&access, end).await?;
    tracing::debug!(device = %session.device.id, "signed out");
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /me/password`: the user's other devices end.
pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Address(address): Address,
    Read(request): Read<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let new = Password::try_from(&request.new_password).map_err(AuthError::Password)?;
    let (session, _) = app.session(&access, Vec::new()).await?;
    let mut chance = moment.chance();
    let (who, read) = ((session.user.username.as_str(), address), users::account(access.user));
    let (guess, account) = Guessing::begin(&app, moment, &mut chance, who, Some(read)).await?;
    let stored = account.as_ref().map(|account| account.password.as_str());
    let verdict = verify(stored, &request.current_password, app.password_cost);
    let Some(account) = account.filter(|_| verdict != Verdict::Wrong) else {
        return Err(guess.failed().await);
    };
    let new = hash(&new, chance.bytes(), app.password_cost);
    let entry = Entry { address, ..Entry::by(Act::PasswordChanged, &access) };
    let mut writes = vec![
        devices::guard(access.device, moment.now),
        users::change_password(access.user, &account.password, new.clone()),
        audit::record(&entry, moment),
        devices::end_others(access.user, access.device, &new, moment.now),
    ];
    writes.extend(guess.succeeded());
    match app.database.batch(writes).await {
        // Changed, or this device ended, while the current one was checked.
        Err(error) if error.is_constraint() => return Err(guess.failed().await),
        written => written?,
    };
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /me`.
pub(super) async fn me(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
) -> Result<Json<MeAnswer>, Problem> {
    let (session, _) = app.session(&access, Vec::new()).await?;
    Ok(Json(MeAnswer { user: session.user, device: session.device }))
}
