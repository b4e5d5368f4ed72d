//! Messages for the tests: drawn at random, bent at random, taken apart.
#![allow(dead_code)] // every test file uses its part

pub mod bent;
pub mod samples;
pub mod strategies;
