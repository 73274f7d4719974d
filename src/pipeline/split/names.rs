//! Names that may stand once only in an object: those of properties and of named vectors. Servers print them in byte
//! order, and none of them holds a character that is printed with an escape.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use memchr::memmem;

use super::text::Text;
use super::{SplitError, cut};

/// Names that are held at once while they are looked at for doubles. An object may have millions, made of next to nothing
/// by the compression of a part.
pub(super) const NAMES_HELD: usize = 1 << 17;

/// How servers take names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// As they are.
    Exactly,
    /// With the first letter in lower case.
    FirstLower,
}

/// Reads an object, and hands on each name with the place of its value. Every name is there once.
pub(super) fn each(
    text: &mut Text<'_>,
    body: &[u8],
    taken: Taken,
    mut each: impl FnMut(Range<usize>, Range<usize>),
) -> Result<Range<usize>, SplitError> {
    let start = text.start()?;
    let mut last: Option<Range<usize>> = None;
    let mut in_order = true;
    let mut count = 0_usize;
    let mut members = text.object()?;
    while let Some(at) = text.member(&mut members)? {
        let name = &body[at.clone()];
        let lower = taken == Taken::Exactly || !name.first().is_some_and(u8::is_ascii_uppercase);
        in_order &= lower && last.is_none_or(|last| body[last] < *name);
        if memchr::memchr(b'\\', name).is_some() {
            return Err(SplitError::Name { name: cut(name), at: at.start });
        }
        last = Some(at.clone());
        count += 1;
        each(at, text.skip()?);
    }
    let whole = start..text.at();
    if !in_order {
        stand_once(text, body, taken, whole.start, count.div_ceil(NAMES_HELD))?;
    }
    Ok(whole)
}

/// Whether every name of an object is there once, whatever their order. They are looked at in so many shares, so that no
/// more than those of one share are held.
fn stand_once(text: &mut Text<'_>, body: &[u8], taken: Taken, start: usize, shares: usize) -> Result<(), SplitError> {
    let hashes = RandomState::new();
    let mut names = HashSet::new();
    for share in 0..shares as u64 {
        names.clear();
        text.back_to(start);
        let mut members = text.object()?;
        while let Some(at) = text.member(&mut members)? {
            let printed = &body[at.clone()];
            let lower = |first: &u8| if taken == Taken::FirstLower { first.to_ascii_lowercase() } else { *first };
            let name = (printed.first().map(lower), printed.get(1..));
            if hashes.hash_one(name) % shares as u64 == share && !names.insert(name) {
                return Err(SplitError::Name { name: cut(printed), at: at.start });
            }
            text.skip()?;
        }
    }
    Ok(())
}

/// Whether a list of references is spelled as servers print it: nothing but `beacon` and `href`, without any escape.
pub(super) fn are_plain_references(list: &[u8]) -> bool {
    let beacons = memmem::find_iter(list, b"{\"beacon\":\"").count();
    let hrefs = memmem::find_iter(list, b"\",\"href\":\"").count();
    let quotes = memchr::memchr_iter(b'"', list).count();
    let braces = memchr::memchr_iter(b'{', list).count();
    quotes == 4 * (beacons + hrefs) && hrefs <= beacons && braces == beacons && memchr::memchr(b'\\', list).is_none()
}
