//! Remarks in words, each as a clause: the one place that knows them.

mod beside;
mod clear;
mod comparison;
mod creation;
mod restore;
mod schema;
mod skipped;

use super::words::counted;
use crate::event::{Op, Remark};

pub use schema::difference as schema_difference;
pub(super) use schema::schema_grew;
pub(super) use skipped::not_kept;
pub use skipped::skip_reason;

/// A remark of an operation as a clause. Values in it are as they came: whoever prints it makes them safe.
#[must_use]
pub fn remark(op: Op, remark: &Remark) -> String {
    match remark {
        Remark::Alias(fact) => beside::alias(fact),
        Remark::Clear(fact) => clear::clear(op, fact),
        Remark::Comparison(fact) => comparison::comparison(op, fact),
        Remark::Creation(fact) => creation::creation(fact),
        Remark::Restore(fact) => restore::restore(fact),
        Remark::Role(fact) => beside::role(fact),
        Remark::Schema(fact) => schema::difference(op, fact),
        Remark::Setting(fact) => schema::setting(fact),
    }
}

/// So many objects.
fn objects(number: u64) -> String {
    counted(number, "object")
}

/// One of two words, by the number.
fn one_or<'a>(number: u64, one: &'a str, more: &'a str) -> &'a str {
    if number == 1 { one } else { more }
}
