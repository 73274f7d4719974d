//! Errors as a person meets them: what the server or the disk did, what is said, with which exit code and which advice,
//! and that nothing passes for done.

mod reading;
mod refused;
mod stages;
mod writing;

use elysiactl::event::Class;
use elysiactl::ops::{Error, Hint};

/// An error has this exit code and gives this advice.
fn is(error: &Error, class: Class, hints: &[Hint]) {
    assert_eq!((error.class(), error.hints().as_slice()), (class, hints), "{error:?}");
}
