#![allow(clippy::unwrap_used, missing_docs)]

mod baselines;
mod common;
mod datasets;
mod episodes;
mod formats;
mod metrics;
