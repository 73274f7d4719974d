//! What a plan says about whether it was tried out that the server makes what is to be made.

use crate::ops::Rehearsed;

/// As a clause of a plan; `None` where there is nothing to try out.
pub(super) fn clause(rehearsed: Rehearsed) -> Option<String> {
    Some(match rehearsed {
        Rehearsed::NotNeeded => return None,
        Rehearsed::Due => {
            "not rehearsed yet: a run first tries out, under a scratch name, whether the server takes it; a dry run makes no changes".to_owned()
        }
        Rehearsed::Done => "rehearsed under a scratch name: the server takes it".to_owned(),
        Rehearsed::Skipped => "not rehearsed (--no-rehearsal): that the server takes it is not proven".to_owned(),
        Rehearsed::NotAllowed { lacks } => {
            format!("not rehearsed, since the key lacks {lacks} for other names: that the server takes it is not proven")
        }
    })
}
