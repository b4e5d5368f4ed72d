use std::process::ExitCode;

/// How a command ended. The numbers are part of the interface: scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is done.
    Done,
    /// 1: some items failed, or a check did not pass; each was listed.
    SomeFailed,
    /// 2: the dataflow or the command line is wrong; nothing was started.
    Usage,
    /// 3: the engine or a node broke, or a message was lost.
    Engine,
    /// 130: the user stopped it.
    Interrupted,
}

impl Exit {
    /// The number that the process returns.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::SomeFailed => 1,
            Self::Usage => 2,
            Self::Engine => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
