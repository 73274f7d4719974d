//! The operations: each is a `plan` that only reads and a `run` that asks nothing again. They join the stages, hold
//! both sides' totals, and alone decide that something is done.

#![warn(clippy::missing_errors_doc, reason = "these are what a program calls")]

mod activation;
mod archive_selection;
pub mod backup;
pub mod cat;
pub mod check;
pub mod clear;
pub mod create;
mod damages;
mod drift;
mod dropping;
mod error;
pub mod exposed;
pub mod firsts;
pub mod held;
pub mod inventory;
mod lacking;
pub mod live_collections;
mod proof;
mod protected;
mod prove;
mod refusal;
pub mod remove;
pub mod restore;
mod rounds;
mod run;
pub mod safety;
mod schema;
mod select;
mod server;
mod subset;
mod taking_back;
pub mod verify;

pub use drift::SchemaDrift;
pub use error::{Error, Hint, NotBackedUp, PlanChange};
pub use refusal::{Altered, BackupDiffers, Distrust, Lack, LackOf, RunDiffers, SomeTenants};
pub use restore::RunChoice;
use run::{ReadAccess, WriteAccess, blocking};
pub use run::{RunName, Session, StateFolders, bounds};
pub use schema::{Rehearsed, Unmakeable};
