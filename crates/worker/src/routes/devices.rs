//! Devices: members see and end their own, admins all (section 7).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use callbook_auth::wire::{DeviceView, DevicesAnswer};
use callbook_auth::{Act, AuthError, Role};
use callbook_base::DeviceId;

use super::listing::Part;
use crate::app::{App, Caller, Moment};
use crate::problem::Problem;
use crate::sql::audit::{self, Entry};
use crate::sql::devices::{self, Session};

/// `GET /devices`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
) -> Result<Json<DevicesAnswer>, Problem> {
    let (session, _) = app.session(&access, Vec::new()).await?;
    let of = (session.user.role != Role::Admin).then_some(access.user);
    let rows = app.batch(vec![devices::all(of)]).await?;
    Ok(Json(DevicesAnswer { devices: devices::read_statuses(&rows[0])? }))
}

/// `DELETE /devices/{id}`. One that has ended stays ended.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Caller(access): Caller,
    moment: Moment,
    Part(id): Part,
) -> Result<StatusCode, Problem> {
    let unknown = || Problem::not_found("there is no such device");
    let id: DeviceId = id.parse().map_err(|_| unknown())?;
    let (session, rows) = app.session(&access, vec![devices::by_id(id)]).await?;
    let device = devices::read_all(&rows[0])?.pop();
    match device {
        Some(device) if may_see(&session, &device) => {
            let subject = id.to_string();
            let entry = Entry { subject: Some(&subject), ..Entry::by(Act::DeviceEnded, &access) };
            let writes = vec![devices::end(id, moment.now), audit::record(&entry, moment)];
            app.write(&access, moment, writes).await?.ok_or_else(|| Problem::busy(moment))?;
            Ok(StatusCode::NO_CONTENT)
        }
        Some(_) => Err(AuthError::Forbidden.into()),
        None => Err(unknown()),
    }
}

fn may_see(session: &Session, device: &DeviceView) -> bool {
    session.user.role == Role::Admin || session.user.id == device.user
}
