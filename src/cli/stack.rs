//! The thread that everything runs on, whatever stack the system gives the first one.

use std::process::ExitCode;
use std::thread::Builder;

use super::exit_code;
use crate::event::Class;

/// Its stack, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// Runs the program on a thread with a stack of its own size; on this one where there is no other to be had.
#[must_use]
pub fn on_ample_stack(program: fn() -> ExitCode) -> ExitCode {
    match Builder::new().name("main".to_owned()).stack_size(STACK_BYTES).spawn(program) {
        // A panic has said what went wrong.
        Ok(running) => running.join().unwrap_or_else(|_| exit_code(Class::Bug)),
        Err(_) => program(),
    }
}
