//! Folders and texts as people have them.
//!
//! * [`listing`]: what stands in a folder, without what systems put there, in the order that people count in;
//! * [`text`]: a text file in whatever encoding an editor or a shell left it in;
//! * [`hash`]: what tells contents apart.

pub mod hash;
pub mod listing;
pub mod text;
