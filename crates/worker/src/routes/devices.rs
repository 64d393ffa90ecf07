//! Devices: members see and end their own, admins all (section 7).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use callbook_auth::wire::{DeviceView, DevicesAnswer};
use callbook_auth::{AuthError, Role};
use callbook_base::DeviceId;

use crate::app::{App, Caller, Moment};
use crate::problem::Problem;
use crate::sql::devices::{self, Session};

/// `GET /devices`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
) -> Result<Json<DevicesAnswer>, Problem> {
    let (session, rows) = app.session(&access, vec![devices::all()]).await?;
    let mut devices = devices::read_all(&rows[0])?;
    devices.retain(|device| may_see(&session, device));
    Ok(Json(DevicesAnswer { devices }))
}

/// `DELETE /devices/{id}`. One that has ended stays ended.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let unknown = || Problem::not_found("there is no such device");
    let id: DeviceId = id.parse().map_err(|_| unknown())?;
    let (session, rows) = app.session(&access, vec![devices::by_id(id)]).await?;
    let device = devices::read_all(&rows[0])?.pop();
    match device {
        Some(device) if may_see(&session, &device) => {
            app.batch(vec![devices::end(id, moment.now)]).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Some(_) => Err(AuthError::Forbidden.into()),
        None => Err(unknown()),
    }
}

fn may_see(session: &Session, device: &DeviceView) -> bool {
    session.user.role == Role::Admin || session.user.id == device.user
}
