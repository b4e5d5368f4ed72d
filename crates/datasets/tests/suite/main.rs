#![allow(clippy::unwrap_used, missing_docs)]

mod common;
mod datasets;
mod formats;
