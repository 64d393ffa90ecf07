//! Users, for admins (section 7).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use callbook_auth::wire::{CreateUserRequest, PatchUserRequest, UserAnswer, UserView, UsersAnswer};
use callbook_auth::{Act, AuthError, Password, Role, Secret, Username, hash};
use callbook_base::UserId;

use super::listing::Part;
use crate::app::{App, Caller, Chance, Moment, Read};
use crate::problem::Problem;
use crate::sql::audit::{self, Entry};
use crate::sql::{devices, users};

/// `GET /users`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
) -> Result<Json<UsersAnswer>, Problem> {
    let (session, rows) = app.session(&access, vec![users::all()]).await?;
    session.admin()?;
    Ok(Json(UsersAnswer { users: users::read_all(&rows[0])? }))
}

/// `POST /users`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Read(request): Read<CreateUserRequest>,
) -> Result<(StatusCode, Json<UserAnswer>), Problem> {
    app.session(&access, Vec::new()).await?.0.admin()?;
    let CreateUserRequest { username, password, role } = &request;
    let (user, password) = new_user(&app, moment, &mut moment.chance(), username, password, *role)?;
    let subject = user.id.to_string();
    let entry = Entry { subject: Some(&subject), ..Entry::by(Act::UserCreated, &access) };
    let writes = vec![users::create(&user, password), audit::record(&entry, moment)];
    app.write(&access, moment, writes).await?.ok_or_else(|| {
        let detail = "another user has this username";
        Problem::new(StatusCode::CONFLICT, "username_taken", detail)
    })?;
    Ok((StatusCode::CREATED, Json(UserAnswer { user })))
}

/// A user as typed, and the PHC string of their password.
pub(super) fn new_user(
    app: &App,
    moment: Moment,
    chance: &mut Chance,
    username: &str,
    password: &Secret,
    role: Role,
) -> Result<(UserView, String), Problem> {
    let username: Username = username.parse().map_err(AuthError::Username)?;
    let password = Password::try_from(password).map_err(AuthError::Password)?;
    let id = UserId::new(moment.now, chance.bytes());
    let user = UserView { id, username, role, disabled: false, created_at: moment.now };
    Ok((user, hash(&password, chance.bytes(), app.password_cost)))
}

/// `PATCH /users/{id}`. Another password signs the user out everywhere but here.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Part(id): Part,
    Read(request): Read<PatchUserRequest>,
) -> Result<Json<UserAnswer>, Problem> {
    app.session(&access, Vec::new()).await?.0.admin()?;
    let unknown = || Problem::not_found("there is no such user");
    let id: UserId = id.parse().map_err(|_| unknown())?;
    let password = request.password.as_ref().map(Password::try_from).transpose();
    let password = password
        .map_err(AuthError::Password)?
        .map(|password| hash(&password, moment.chance().bytes(), app.password_cost));
    let end = password
        .as_ref()
        .map(|password| devices::end_others(id, access.device, password, moment.now));
    let subject = id.to_string();
    let entry = Entry { subject: Some(&subject), ..Entry::by(Act::UserChanged, &access) };
    let patch = users::patch(id, request.role, request.disabled, password);
    let writes = [patch, users::by_id(id), audit::record(&entry, moment)];
    let writes = writes.into_iter().chain(end).collect();
    let rows = app.write(&access, moment, writes).await?.ok_or_else(|| Problem::busy(moment))?;
    let user: UserView = users::read_all(&rows[1])?.pop().ok_or_else(unknown)?;
    match rows[0].changes {
        0 => Err(AuthError::LastAdmin.into()),
        _ => Ok(Json(UserAnswer { user })),
    }
}
