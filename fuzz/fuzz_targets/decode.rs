//! The readers of all messages, fed with messages that are bent in every way: they may refuse, never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/contract/tests/common/bent.rs"]
mod bent;

fuzz_target!(|tape: &[u8]| bent::decode_all(tape));
