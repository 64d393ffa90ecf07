//! How long requests take, and how long they wait for the database, for `Server-Timing` and the log. What time
//! it is must never matter here: a clock that stands still, as a Worker's does while it computes, tells less
//! and spoils nothing.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::database::{BatchFuture, Database, Statement};

/// How time passes, from any beginning.
pub type Clock = fn() -> Duration;

/// Microseconds that a request has waited for the database.
#[derive(Default)]
struct Waited(AtomicU64);

thread_local! {
    /// Of the request that this thread works on.
    static REQUEST: RefCell<Option<Arc<Waited>>> = const { RefCell::new(None) };
}

/// What a request took, and what of it was the database's.
pub(crate) struct Took {
    pub(crate) total: Duration,
    pub(crate) database: Duration,
}

/// Does a request, and tells how long it took.
pub(crate) async fn timed<F: Future>(clock: Clock, request: F) -> (F::Output, Took) {
    let (started, waited) = (clock(), Arc::new(Waited::default()));
    let mut request = pin!(request);
    let output = poll_fn(|context| {
        let outer = REQUEST.replace(Some(waited.clone()));
        let poll = request.as_mut().poll(context);
        REQUEST.set(outer);
        poll
    });
    let output = output.await;
    let database = Duration::from_micros(waited.0.load(Ordering::Relaxed));
    (output, Took { total: clock().saturating_sub(started), database })
}

/// A database whose batches count for the request that waits for them.
pub(crate) struct Timed {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) clock: Clock,
}

impl Database for Timed {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let waited = REQUEST.with_borrow(Clone::clone);
        Box::pin(async move {
            let started = (self.clock)();
            let answer = self.database.batch(statements).await;
            if let Some(waited) = waited {
                let took = (self.clock)().saturating_sub(started).as_micros() as u64;
                waited.0.fetch_add(took, Ordering::Relaxed);
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    thread_local! {
        static NOW: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    fn clock() -> Duration {
        Duration::from_millis(NOW.get())
    }

    fn passes(millis: u64) {
        NOW.set(NOW.get() + millis);
    }

    /// A database that takes its milliseconds, at the second look.
    struct Slow(u64);

    impl Database for Slow {
        fn batch(&self, _: Vec<Statement>) -> BatchFuture<'_> {
            let mut looks = 0;
            Box::pin(poll_fn(move |_| {
                looks += 1;
                match looks {
                    1 => Poll::Pending,
                    _ => {
                        passes(self.0);
                        Poll::Ready(Ok(Vec::new()))
                    }
                }
            }))
        }
    }

    #[test]
    fn each_request_counts_what_it_waits_for_itself() {
        let database = |millis| Timed { database: Arc::new(Slow(millis)), clock };
        let (long, short) = (database(30), database(2));
        let two = async |database: &Timed| {
            passes(1);
            database.batch(Vec::new()).await.unwrap();
            database.batch(Vec::new()).await.unwrap();
        };
        let (mut first, mut second) =
            (pin!(timed(clock, two(&long))), pin!(timed(clock, two(&short))));
        let mut context = Context::from_waker(Waker::noop());
        let (mut took_first, mut took_second) = (None, None);
        while took_first.is_none() || took_second.is_none() {
            if took_first.is_none()
                && let Poll::Ready((_, took)) = first.as_mut().poll(&mut context)
            {
                took_first = Some(took);
            }
            if took_second.is_none()
                && let Poll::Ready((_, took)) = second.as_mut().poll(&mut context)
            {
                took_second = Some(took);
            }
        }
        let millis = |took: Option<Took>| took.map(|it| it.database.as_millis());
        // 1 + 30 and 2 + 30 for the first; each batch of the second waits for one of the first's too.
        assert_eq!((millis(took_first), millis(took_second)), (Some(63), Some(64)));
    }
}
