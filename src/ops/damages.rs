//! Damages of an archive, gathered from all threads that read it: each file once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use crate::archive::{self, Archive};

/// Damages that are named; a check that finds so many stops.
pub const MOST_DAMAGES: usize = 20;

/// What is damaged, as far as it was found: the first of each file.
#[derive(Debug, Default)]
pub(super) struct Damages(Mutex<DamagesFound>);

#[derive(Debug, Default)]
struct DamagesFound {
    errors: Vec<Error>,
    places: BTreeSet<PathBuf>,
}

impl Damages {
    fn gathered(&self) -> MutexGuard<'_, DamagesFound> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no more are looked for.
    pub(super) fn are_enough(&self) -> bool {
        self.gathered().errors.len() >= MOST_DAMAGES
    }

    /// Whether anything below this folder is damaged, whenever it was found.
    pub(super) fn touch(&self, folder: &Path) -> bool {
        self.gathered().places.iter().any(|place| place.starts_with(folder))
    }

    /// Keeps an error that is about one file; another one is given back.
    pub(super) fn take(&self, error: Error) -> Result<(), Error> {
        use archive::Error as E;
        let place = match &error {
            Error::Line { path, .. }
            | Error::Archive(
                E::Damaged { path, .. }
                | E::Unsteady { path, .. }
                | E::Io { path, .. }
                | E::PermissionDenied { path, .. },
            ) => path.clone(),
            _ => return Err(error),
        };
        let mut gathered = self.gathered();
        if gathered.errors.len() < MOST_DAMAGES && gathered.places.insert(place) {
            gathered.errors.push(error);
        }
        Ok(())
    }

    /// The only one as it is, several together; fine if there are none.
    pub(super) fn result(&self, archive: &Archive) -> Result<(), Error> {
        let mut errors = std::mem::take(&mut self.gathered().errors);
        match errors.len() {
            0 => Ok(()),
            1 => errors.pop().map_or(Ok(()), Err),
            found => {
                let path = archive.path().to_owned();
                Err(Error::Damages { archive: path, all: found < MOST_DAMAGES, damages: errors })
            }
        }
    }
}
