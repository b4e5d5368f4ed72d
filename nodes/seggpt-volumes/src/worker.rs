//! The thread that reads volumes, prepares questions and puts answers on disk, beside the loop that speaks to the engine.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use eyre::{Result, WrapErr, eyre};
use seggpt_contract::{Mask, Prompted};
use seggpt_node::CrashGuard;

use crate::{
    session::{Guard, Next, Session, Told},
    settings::Settings,
    summary::State,
};

/// The pages are written anew no more often than this.
const EVERY: Duration = Duration::from_secs(10);

/// What the thread is told.
pub enum Order {
    /// Prepare the next question.
    Next,
    /// This came for an item: an answer, or why there is none.
    Answer(String, Box<Result<Mask, String>>),
    /// The end.
    Close(State, Option<String>),
}

/// What the thread tells.
pub enum News {
    /// The volumes are listed and the examples read.
    Ready,
    /// What is next.
    Next(Next),
    /// A question is done with.
    Told(Told),
    /// All is written; where the report stands.
    Closed(std::path::PathBuf),
    /// It cannot go on.
    Broken(eyre::Report),
}

/// A handle on the thread.
pub struct Worker {
    orders: Sender<Order>,
    news: Receiver<News>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub fn start(settings: Settings, run: String, crash_guard: Arc<CrashGuard>) -> Result<Self> {
        let (orders, received) = channel();
        let (told, news) = channel();
        let work = move || {
            if let Err(error) = obey(settings, &run, &crash_guard, &received, &told) {
                // The loop is gone where nobody listens.
                let _ = told.send(News::Broken(error));
            }
        };
        thread::Builder::new()
            .name("volumes".into())
            .spawn(work)
            .wrap_err("no thread for volumes")?;
        Ok(Self { orders, news })
    }

    /// Tells the thread.
    pub fn order(&self, order: Order) {
        // Without the thread, the next look for news finds its end.
        let _ = self.orders.send(order);
    }

    /// What there is to hear; `None` when nothing is.
    pub fn news(&self) -> Option<News> {
        match self.news.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(News::Broken(eyre!("the thread that reads volumes is gone")))
            }
        }
    }

    /// Waits for news. `None`: the thread is gone.
    pub fn wait(&self) -> Option<News> {
        self.news.recv().ok()
    }
}

fn obey(
    settings: Settings,
    run: &str,
    crash_guard: &CrashGuard,
    orders: &Receiver<Order>,
    told: &Sender<News>,
) -> Result<()> {
    let mut session = Session::open(settings, run)?;
    let guard = Cautious(crash_guard);
    // Nobody listens when the user stopped the dataflow: then the orders end as well.
    let tell = |news| drop(told.send(news));
    tell(News::Ready);
    let mut pages = Instant::now() + EVERY;
    for order in orders {
        match order {
            Order::Next => tell(News::Next(session.next(&guard)?)),
            Order::Answer(item, answer) => {
                let taken = match *answer {
                    Ok(mask) => crash_guard.run(&item, || {
                        seggpt_fault::at("in-work", &item);
                        session.answer(&item, Ok(&mask))
                    }),
                    Err(error) => Ok(session.answer(&item, Err(error))),
                };
                let taken = match taken {
                    Ok(taken) => taken?,
                    // The process died of this answer too often.
                    Err(deadly) => session.answer(&item, Err(deadly))?,
                };
                crash_guard.done(&item);
                seggpt_fault::at("after-answer", &item);
                if let Some(taken) = taken {
                    tell(News::Told(taken));
                }
                if Instant::now() >= pages {
                    session.write()?;
                    pages = Instant::now() + EVERY;
                }
            }
            Order::Close(state, error) => {
                tell(News::Closed(session.close(state, error)?));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Work over an item that the process may die of.
struct Cautious<'a>(&'a CrashGuard);

impl Guard for Cautious<'_> {
    fn over(
        &self,
        item: &str,
        work: &mut dyn FnMut() -> Result<Prompted, String>,
    ) -> Result<Prompted, String> {
        let done = self.0.run(item, || {
            seggpt_fault::at("before-work", item);
            work()
        });
        done.flatten()
    }

    fn read(&self, item: &str, work: &mut dyn FnMut() -> Result<(), String>) -> Result<(), String> {
        let done = self.0.run(item, || {
            seggpt_fault::at("before-read", item);
            work()
        });
        self.0.done(item);
        done.flatten()
    }
}
