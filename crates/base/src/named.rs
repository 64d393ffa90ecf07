//! A contact as other messages speak of it.

use serde::{Deserialize, Serialize};

use crate::{ContactId, Line};

/// A contact and its name, for people.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Which contact.
    pub id: ContactId,
    /// As it stands in the book; null when it has none.
    pub name: Option<Line>,
}
