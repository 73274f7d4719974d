//! Where an archive lies, or a folder of archives: what somebody means by what they typed, how a journal keeps it, and the
//! disk that serves it. Everybody else has it as a path, to which names are joined.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, OsDisk};
use crate::model::{NotLocal, local_path};

/// The disk of all archives, wherever they lie: whoever opens or makes one asks for this.
#[must_use]
pub fn archives() -> Arc<dyn Disk> {
    Arc::new(OsDisk)
}

/// The place that is meant by what was typed for an archive or a folder of archives: one of this machine. `home`: the
/// value of [`HOME`](crate::model::HOME).
pub fn typed(typed: &OsStr, home: Option<OsString>) -> Result<PathBuf, NotLocal> {
    local_path(typed, home)
}

/// The archive that is meant: what lies at this place, or else what has this name in a folder of archives.
#[must_use]
pub fn named(disk: &dyn Disk, folder: &Path, archive: &Path) -> PathBuf {
    let is_there = |path: &Path| matches!(disk.look(path), Ok(Some(_)));
    let inside = folder.join(archive);
    let is_name = archive.components().count() == 1;
    if is_name && !is_there(archive) && is_there(&inside) { inside } else { archive.to_owned() }
}

/// The same place from whatever directory it is asked for, for journals that are read again.
#[must_use]
pub fn lasting(place: &Path) -> PathBuf {
    std::path::absolute(place).unwrap_or_else(|_| place.to_owned())
}

/// Whether two paths lead to one place, however they are spelled.
#[must_use]
pub fn is_same(disk: &dyn Disk, one: &Path, other: &Path) -> bool {
    let follow = |path: &Path| disk.follow(path).ok();
    one.components().eq(other.components()) || follow(one).is_some_and(|one| follow(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_in_the_folder_of_archives_only_where_nothing_has_it() {
        let (disk, root) = (archives(), tempfile::tempdir().expect("a folder"));
        let folder = root.path().join("backups");
        for path in [&folder, &folder.join("A"), &folder.join("src")] {
            disk.create_dir(path).expect("made");
        }
        let meant = |archive: &str| named(&*disk, &folder, Path::new(archive));
        assert_eq!(meant("A"), folder.join("A"));
        assert_eq!(meant("src"), Path::new("src"), "that one is here");
        for not_there in ["B", "./A", "x/A"] {
            assert_eq!(meant(not_there), Path::new(not_there));
        }
    }
}
