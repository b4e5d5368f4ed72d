use serde::{Deserialize, Serialize};

/// A class that a prompt shows and a mask names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Class {
    /// The value in mask files; 0 is background and never a class.
    pub id: u16,
    /// The name, for people.
    pub name: String,
    /// The RGB colour of it in prompts' masks and in predictions.
    pub color: [u8; 3],
}
