//! What an archive holds of what somebody is about to lose, in words: for every verb that takes objects away.

use crate::event::Covers;
use crate::ops::held::{HeldIn, MOST_LOOKED_AT};
use crate::render::{count, counted, date, plain, shell_path};

/// A line of a plan.
pub(super) fn line(held: Option<&HeldIn>) -> String {
    let Some(held) = held else { return "no archive in the folder holds it".into() };
    let of = format!("{} of {}", place(held), date(held.sealed));
    match &held.covers {
        Covers::Everything => {
            let objects = counted(held.archived, "object");
            format!("newest archive that holds it: {of}, with {objects}; none here was written since")
        }
        Covers::Compared => format!("held against {of}, object by object, before anything is sent"),
        _ => format!("the newest archive of it {}: {of}", lacks(held)),
    }
}

/// Whether an archive holds everything, as far as can be told.
pub(super) fn is_all(held: &HeldIn) -> bool {
    matches!(held.covers, Covers::Everything | Covers::Compared)
}

/// What is said before the question whether to go on, where it does not, or need not.
pub(super) fn doubt(name: &str, held: &HeldIn) -> String {
    format!("The newest archive of {name} {}. What it does not hold cannot come back.", lacks(held))
}

/// Where it lies.
pub(super) fn place(held: &HeldIn) -> String {
    shell_path(&held.path)
}

/// What it holds and what it does not, as a clause.
fn lacks(held: &HeldIn) -> String {
    let objects = counted(held.archived, "object");
    let server = match held.live {
        Some(live) => format!("and the server {}", count(live)),
        None => "and those on the server are not all counted".into(),
    };
    match &held.covers {
        Covers::OtherCollection => format!(
            "holds {objects}, {server}, but of another collection of that name: this one was made again, or is on another server"
        ),
        Covers::NoVectors => format!("holds {objects} without their vectors, {server}"),
        Covers::Selection => format!("holds {objects} that were selected, {server}"),
        Covers::Incomplete => format!("holds {objects}, {server}, and says itself that something is missing in it"),
        Covers::WrittenSince { newest } => {
            let at = date(*newest);
            format!("holds {objects}, {server}, of which at least one was written since it was begun ({at})")
        }
        Covers::LacksTenants { tenants, first } => {
            let tenants = counted(*tenants, "tenant");
            plain(&format!("holds {objects}, and lacks {tenants} ({first} first)"))
        }
        Covers::ChangesUnknown if held.live.is_some_and(|live| live > MOST_LOOKED_AT) => format!(
            "holds {objects}, {server}; whether any was written since is not known (it is looked for up to {} objects)",
            count(MOST_LOOKED_AT)
        ),
        Covers::ChangesUnknown => format!("holds {objects}, {server}; whether any was written since is not known"),
        _ => format!("holds {objects}, {server}"),
    }
}
