//! Users, for admins (section 7).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use callbook_auth::wire::{CreateUserRequest, PatchUserRequest, UserAnswer, UserView, UsersAnswer};
use callbook_auth::{AuthError, Password, Username, hash};
use callbook_base::UserId;

use crate::app::{App, Caller, Moment, Read};
use crate::problem::Problem;
use crate::sql::users;

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
    let username: Username = request.username.parse().map_err(AuthError::Username)?;
    let password = Password::try_from(&request.password).map_err(AuthError::Password)?;
    let mut chance = moment.chance();
    let user = UserView {
        id: UserId::new(moment.now, chance.bytes()),
        username,
        role: request.role,
        disabled: false,
        created_at: moment.now,
    };
    let password = hash(&password, chance.bytes(), app.password_cost);
    match app.database.batch(vec![users::create(&user, password)]).await {
        Err(error) if error.is_constraint() => {
            let detail = "another user has this username";
            return Err(Problem::new(StatusCode::CONFLICT, "username_taken", detail));
        }
        created => created?,
    };
    Ok((StatusCode::CREATED, Json(UserAnswer { user })))
}

/// `PATCH /users/{id}`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Path(id): Path<String>,
    Read(request): Read<PatchUserRequest>,
) -> Result<Json<UserAnswer>, Problem> {
    app.session(&access, Vec::new()).await?.0.admin()?;
    let unknown = || Problem::not_found("there is no such user");
    let id: UserId = id.parse().map_err(|_| unknown())?;
    let password = request.password.as_ref().map(Password::try_from).transpose();
    let password = password
        .map_err(AuthError::Password)?
        .map(|password| hash(&password, moment.chance().bytes(), app.password_cost));
    let patch = users::patch(id, request.role, request.disabled, password);
    let rows = app.batch(vec![patch, users::by_id(id)]).await?;
    let user: UserView = users::read_all(&rows[1])?.pop().ok_or_else(unknown)?;
    match rows[0].changes {
        0 => Err(AuthError::LastAdmin.into()),
        _ => Ok(Json(UserAnswer { user })),
    }
}
