//! Folders that others may write into: who can put a file there can put an archive, a lock or a journal there.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Error, Session, blocking};
use crate::event::Warning;
use crate::model::path_text;

/// Warns of each of these folders that everybody may write into. One that is missing, or cannot be looked at, is none.
pub async fn warn_of_open_folders(session: &Session, folders: Vec<PathBuf>) {
    let disk = Arc::clone(&session.archives);
    let may = move |folder: &PathBuf| disk.others_may_write(folder).unwrap_or(false);
    let look = move || Ok::<_, Error>(folders.into_iter().filter(may).collect::<Vec<_>>());
    for folder in blocking("folders", look).await.unwrap_or_default() {
        session.events.warn(Warning::WritableByAll { path: path_text(&folder) });
    }
}
