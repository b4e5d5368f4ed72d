//! Folders and texts as people have them.
//!
//! * [`listing`]: what stands in a folder, without what systems put there, in the order that people count in;
//! * [`text`]: a text file in whatever encoding an editor or a shell left it in;
//! * [`hash`]: what tells contents apart;
//! * [`naming`]: what files are called, as short as tells them apart.

pub mod hash;
pub mod listing;
pub mod naming;
pub mod text;
