//! Remarks as a person reads them.

use elysiactl::event::{Op, Remark};
use elysiactl::model::CollectionName;
use elysiactl::render::remark;

/// The words of each of these.
pub(crate) fn words<R: Clone + Into<Remark>>(remarks: &[R]) -> Vec<String> {
    remarks.iter().map(|one| remark(Op::Verify, &one.clone().into())).collect()
}

/// The words of each of these, whichever collection it is about.
pub(crate) fn said_of<R: Clone + Into<Remark>>(remarks: &[(CollectionName, R)]) -> Vec<String> {
    remarks.iter().map(|(_, one)| remark(Op::Verify, &one.clone().into())).collect()
}
