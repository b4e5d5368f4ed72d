/// What the kernels refuse.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A slice that does not hold what the sizes say.
    #[error("{what} holds {found} numbers, not {expected}: pass {shape}")]
    Length {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that the sizes ask for.
        expected: usize,
        /// The shape that it should have, in words.
        shape: &'static str,
    },
    /// Sizes that no kernel can work on.
    #[error("{what} is {found}: it must be {expected}")]
    Size {
        /// The argument.
        what: &'static str,
        /// Its value.
        found: usize,
        /// What would do.
        expected: &'static str,
    },
}

pub(crate) fn expect_length(
    what: &'static str,
    found: usize,
    expected: usize,
    shape: &'static str,
) -> Result<(), KernelError> {
    if found == expected {
        Ok(())
    } else {
        Err(KernelError::Length {
            what,
            found,
            expected,
            shape,
        })
    }
}
