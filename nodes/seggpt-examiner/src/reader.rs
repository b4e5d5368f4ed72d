//! A thread that prepares questions, one ahead.

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
use seggpt_contract::Prompted;
use seggpt_exam::{Asker, Exam};
use seggpt_node::Careful;

/// A question as a message, or why there is none, for people.
pub type Asked = Result<Prompted, String>;

/// Prepares what it is told to, in this order; holds one more than was taken.
pub struct Reader {
    wanted: Sender<usize>,
    asked: Receiver<(usize, Asked)>,
}

/// What [`Reader::next_within`] finds.
pub enum Next {
    /// The next question: its place in the exam, and its message.
    Ready(usize, Box<Asked>),
    /// It is still being prepared.
    Busy,
    /// The thread is gone.
    End,
}

impl Reader {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub fn start(exam: Arc<Exam>, mut asker: Asker, careful: Arc<Careful>) -> Result<Self> {
        let (wanted, questions) = channel::<usize>();
        // No buffer: the thread waits with a question in its hands.
        let (hand_over, asked) = sync_channel(0);
        let work = move || {
            for at in questions {
                let asked = ask(&exam, &mut asker, at, &careful);
                if hand_over.send((at, asked)).is_err() {
                    break; // nobody reads on: the user stopped the dataflow
                }
            }
        };
        thread::Builder::new()
            .name("reader".into())
            .spawn(work)
            .wrap_err("no thread for preparing questions")?;
        Ok(Self { wanted, asked })
    }

    /// Puts a question, by its place in the exam, behind those to be prepared.
    pub fn want(&self, at: usize) {
        // Without the thread, the next look for what is ready finds its end.
        let _ = self.wanted.send(at);
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

/// A question as a message, or why there is none: also that the process died of asking it, or of its answer.
fn ask(exam: &Exam, asker: &mut Asker, at: usize, careful: &Careful) -> Asked {
    let item = &exam.questions[at].item;
    let asked = careful.over(item, || {
        seggpt_fault::at("before-work", item);
        prepare(exam, asker, at)
    });
    asked.flatten()
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
