//! Class documents: what a server will make of one, what has to be changed before it is sent, what became of it. Shared by
//! every operation that creates collections.

mod alterations;
mod applied;
pub(super) mod endpoints;
pub(super) mod expiry;
mod fit;
mod made;
mod make;
pub(super) mod place;
mod rehearse;
pub(super) mod remedies;
mod rules;
pub(super) mod settings;
#[cfg(test)]
pub(super) mod testing;
mod uncopied;

pub(super) use alterations::alterations;
pub(super) use applied::{Applied, remarks_of};
pub(super) use expiry::expires;
pub(super) use fit::{Fit, Target, fit};
pub(super) use made::{Made, grown, made, remade};
pub(super) use make::{
    LeftBehind, NotMade, WrongTenants, as_asked, complete, create_tenants, until_there, wrong_tenants,
};
pub(super) use rehearse::{Rehearsal, Subject, sweep};
pub use rehearse::{Rehearsed, Unmakeable};
pub(super) use uncopied::{is_by_auto_schema, trained};
