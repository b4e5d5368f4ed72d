use seggpt_contract::{Identity, Image, Message};

/// An item of a source: it can be read as often as it has to be sent.
pub trait Supply: Clone + Send + 'static {
    /// What acknowledgements call it.
    fn id(&self) -> &str;

    /// Reads it.
    ///
    /// # Errors
    /// Why there is nothing to send, for people: it goes out as a failed item.
    fn read(&self) -> Result<Ready, String>;

    /// Its identity where it was not read.
    fn unread(&self) -> Identity;
}

/// What there is to send of an item.
pub struct Ready {
    /// The message.
    pub message: Message<Image>,
    /// What its picture takes once it is decoded, as every node on the way will have it.
    pub bytes: u64,
    /// What there is to say of it, each with the sort of thing it is: one of each sort is said.
    pub remarks: Vec<(String, String)>,
}
