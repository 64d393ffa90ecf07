//! A book that was restored from a backup: phones know more of it than it does itself (section 4 of the
//! protocol). It gets another epoch, by which they notice. Making backups and putting them back must
//! never live here: that is the database's own business.

use callbook_base::Epoch;

use crate::app::{App, Chance, Moment};
use crate::problem::Problem;
use crate::sql::book;

impl App {
    /// Gives the book another epoch, once after it was restored from a backup and before anything else
    /// reaches it. Phones then pull what it has otherwise, send again what it has lost of their outboxes,
    /// and keep for their users what it does not know of the rest. Whether there was a book.
    ///
    /// # Errors
    /// The database fails. It may have happened; once more does no harm.
    pub async fn restored(&self, moment: Moment) -> Result<bool, Problem> {
        let epoch = new_epoch(&mut moment.chance());
        Ok(self.batch(vec![book::rename(&epoch)]).await?[0].changes > 0)
    }
}

/// An epoch that no other book has.
pub(crate) fn new_epoch(chance: &mut Chance) -> Epoch {
    chance.hex().parse().expect("hex digits make an epoch")
}
