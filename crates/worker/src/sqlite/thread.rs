//! SQLite on a thread of its own, so that its waiting for the disk holds up no other work of an
//! async runtime. The simulator must never use it: threads make a run unrepeatable.

use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

use crate::database::{BatchFuture, Database, DatabaseError, Rows, Statement};

use super::Sqlite;

/// A batch that waits for its turn.
struct Job {
    statements: Vec<Statement>,
    answer: oneshot::Sender<Result<Vec<Rows>, DatabaseError>>,
}

/// A [`Sqlite`] that lives on one thread. A batch joins the queue when [`Database::batch`] is
/// called and is run even if its future is dropped. The queue has no bound: whoever takes requests
/// bounds how many are under way.
///
/// Dropping this waits until all that is queued has run.
pub struct SqliteThread {
    /// Empty only while dropping.
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteThread {
    /// Moves a database, already migrated, to its own thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(sqlite: Sqlite) -> Result<Self, DatabaseError> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let thread = Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || {
                for Job { statements, answer } in jobs {
                    // Whoever asked may have gone; the batch has happened all the same.
                    let _ = answer.send(sqlite.run(&statements));
                }
            })
            .map_err(|error| {
                DatabaseError::new(format!("cannot start the thread of the database: {error}"))
            })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }
}

impl Database for SqliteThread {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let (answer, result) = oneshot::channel();
        // If the thread has ended, the job is dropped here and its answer with it.
        let _ = self.queue.as_ref().map(|queue| queue.send(Job { statements, answer }));
        Box::pin(async {
            let ended = || DatabaseError::new("D1_ERROR: the thread of the database has ended");
            result.await.unwrap_or_else(|_| Err(ended()))
        })
    }
}

impl Drop for SqliteThread {
    fn drop(&mut self) {
        // Closing the queue ends the thread once it is empty.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has shown itself already.
            let _ = thread.join();
        }
    }
}
