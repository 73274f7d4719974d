//! Properties of many megabytes: their lists of references are compared one reference after the other. As values, a hundred
//! thousand of them would take ten times the memory of their text, on both sides.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::value::{Kind, Members as Kinds, Walk};
use crate::model::{Members, RawObject};

/// The properties of an object by their names as printed; `None` if they are no JSON object, or a name comes twice.
pub(super) fn split(object: &RawObject) -> Option<Members<'_>> {
    let members: Members<'_> = serde_json::from_slice(object.properties()).ok()?;
    let mut names: Vec<&str> = members.0.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1]).then_some(members)
}

/// Takes out what is printed alike by both, references aside: those may lead elsewhere all the same.
pub(super) fn leave_out_equal<'a>(kinds: &Kinds, ours: &mut Members<'a>, theirs: &mut Members<'a>) {
    let is_reference = |name: &str| matches!(kinds.get(name), Some(Kind::Reference));
    let printed: BTreeSet<_> = theirs.0.iter().copied().collect();
    let equal: BTreeSet<_> = ours.0.iter().copied().filter(|m| !is_reference(m.0) && printed.contains(m)).collect();
    for members in [ours, theirs] {
        members.0.retain(|member| !equal.contains(member));
    }
}

/// Compares the lists of references that both have, and takes them out.
pub(super) fn references(kinds: &Kinds, ours: &mut Members<'_>, theirs: &mut Members<'_>, walk: &mut Walk<'_>) {
    let names = kinds.iter().filter(|(_, kind)| matches!(kind, Kind::Reference)).map(|(name, _)| name.as_str());
    for name in names {
        let place = |members: &Members<'_>| members.0.iter().position(|(other, _)| *other == name);
        let (Some(our), Some(their)) = (place(ours), place(theirs)) else { continue };
        let (Some(our_list), Some(their_list)) = (list(ours.0[our].1), list(theirs.0[their].1)) else { continue };
        walk.references(&format!("properties.{name}"), &our_list, &their_list);
        ours.0.remove(our);
        theirs.0.remove(their);
    }
}

fn list(value: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value).ok()
}

/// What is left, as values.
pub(super) fn parsed(members: &Members<'_>) -> Option<Map<String, Value>> {
    let name = |printed: &str| serde_json::from_str::<String>(&format!("\"{printed}\"")).ok();
    members.0.iter().map(|(printed, text)| Some((name(printed)?, serde_json::from_str(text).ok()?))).collect()
}
