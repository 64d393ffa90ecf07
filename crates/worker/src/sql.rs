//! All SQL of the book, one module for each group of tables. A decision must never live here: these
//! are statements, and readers of their rows.

pub(crate) mod book;
pub(crate) mod calls;
pub(crate) mod contacts;
pub(crate) mod devices;
pub(crate) mod push;
pub(crate) mod users;
