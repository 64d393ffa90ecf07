//! What somebody who looks on has asked to be told of a run. A run without it does none of this work, and
//! is the same run: nothing here may draw chance, wait, or change what happens.

use crate::requests::RequestLog;

/// What is wanted of a run beside its outcome.
#[derive(Default)]
pub struct Watch {
    /// Every request that the service gets.
    pub requests: Option<RequestLog>,
}
