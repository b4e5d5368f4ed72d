//! A thread that prepares one question ahead.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use eyre::{Result, WrapErr};
use seggpt_contract::Prompted;
use seggpt_exam::{Asker, Exam};

/// A question as a message, or why there is none, for people.
pub type Asked = Result<Prompted, String>;

/// Prepares questions in their order; holds one more than was taken.
pub struct Reader {
    asked: Receiver<(usize, Asked)>,
}

/// What [`Reader::next_within`] finds.
pub enum Next {
    /// The next question: its place in the exam, and its message.
    Ready(usize, Box<Asked>),
    /// It is still being prepared.
    Busy,
    /// All were taken.
    End,
}

impl Reader {
    /// Starts preparing.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(exam: Arc<Exam>, mut asker: Asker, open: Vec<usize>) -> Result<Self> {
        // No buffer: the thread waits with a question in its hands.
        let (hand_over, asked) = sync_channel(0);
        let work = move || {
            for at in open {
                let asked = prepare(&exam, &mut asker, at);
                if hand_over.send((at, asked)).is_err() {
                    break; // nobody reads on: the user stopped the dataflow
                }
            }
        };
        thread::Builder::new()
            .name("reader".into())
            .spawn(work)
            .wrap_err("no thread for preparing questions")?;
        Ok(Self { asked })
    }

    /// The next question, if it is ready within `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Next {
        match self.asked.recv_timeout(timeout) {
            Ok((at, asked)) => Next::Ready(at, Box::new(asked)),
            Err(RecvTimeoutError::Timeout) => Next::Busy,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

/// A question as a message. A decoder that panics spoils this question alone.
pub fn prepare(exam: &Exam, asker: &mut Asker, at: usize) -> Asked {
    let question = &exam.questions[at];
    catch_unwind(AssertUnwindSafe(|| asker.ask(question)))
        .map_err(|_| "a picture breaks its decoder".to_owned())?
        .map_err(|error| {
            let error = eyre::Report::new(error);
            format!("{error:#}")
        })
}
