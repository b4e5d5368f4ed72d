/// Why a page is not read.
pub(super) enum Refusal {
    /// It makes no sense.
    Damaged(String),
    /// It is whole, but of a kind that is not read.
    Unsupported(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}
