//! A thread that prepares queries, one ahead.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use eyre::{Result, WrapErr};
use seggpt_benchmark::{Benchmark, QueryBuilder};
use seggpt_contract::Prompted;
use seggpt_node::CrashGuard;

/// A query as a message, or why there is none, for people.
pub type Prepared = Result<Prompted, String>;

/// Prepares what it is told to, in this order; holds one more than was taken.
pub struct Prefetcher {
    requests: Sender<usize>,
    prepared: Receiver<(usize, Prepared)>,
}

/// What [`Prefetcher::next_within`] finds.
pub enum Next {
    /// The next query: its place in the benchmark, and its message.
    Ready(usize, Box<Prepared>),
    /// It is still being prepared.
    Busy,
    /// The thread is gone.
    End,
}

impl Prefetcher {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub fn start(
        benchmark: Arc<Benchmark>,
        mut builder: QueryBuilder,
        guard: Arc<CrashGuard>,
    ) -> Result<Self> {
        let (requests, queries) = channel::<usize>();
        // No buffer: the thread waits with a query in its hands.
        let (hand_over, prepared) = sync_channel(0);
        let work = move || {
            for at in queries {
                let prepared = guarded(&benchmark, &mut builder, at, &guard);
                if hand_over.send((at, prepared)).is_err() {
                    break; // nobody reads on: the user stopped the dataflow
                }
            }
        };
        thread::Builder::new()
            .name("prefetch".into())
            .spawn(work)
            .wrap_err("no thread for preparing queries")?;
        Ok(Self { requests, prepared })
    }

    /// Puts a query, by its place in the benchmark, behind those to be prepared.
    pub fn request(&self, at: usize) {
        // Without the thread, the next look for what is ready finds its end.
        let _ = self.requests.send(at);
    }

    /// The next query, if it is ready within `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Next {
        match self.prepared.recv_timeout(timeout) {
            Ok((at, prepared)) => Next::Ready(at, Box::new(prepared)),
            Err(RecvTimeoutError::Timeout) => Next::Busy,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

/// A query as a message, or why there is none: also that the process died of preparing it, or of its prediction.
fn guarded(
    benchmark: &Benchmark,
    builder: &mut QueryBuilder,
    at: usize,
    guard: &CrashGuard,
) -> Prepared {
    let item = &benchmark.queries[at].item;
    let prepared = guard.run(item, || {
        seggpt_fault::at("before-work", item);
        prepare(benchmark, builder, at)
    });
    prepared.flatten()
}

/// A query as a message. A decoder that panics spoils this query alone.
pub fn prepare(benchmark: &Benchmark, builder: &mut QueryBuilder, at: usize) -> Prepared {
    let query = &benchmark.queries[at];
    catch_unwind(AssertUnwindSafe(|| builder.build(query)))
        .map_err(|_| "a picture breaks its decoder".to_owned())?
        .map_err(|error| {
            let error = eyre::Report::new(error);
            format!("{error:#}")
        })
}
