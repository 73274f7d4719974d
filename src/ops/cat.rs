//! `archive cat`: the objects of an archive, line by line, in the order of its files, each part proven before it is printed,
//! and once more while it is.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::{Error, select};
use crate::archive::{Archive, Disk, Error as ArchiveError};
use crate::model::{CollectionName, similar};
use crate::pipeline::long_lines::LongLines;

/// Why printing stopped.
#[derive(Debug, thiserror::Error)]
pub enum CatError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] Error),
    /// Whoever takes the lines.
    #[error("cannot write the lines")]
    Output(#[source] io::Error),
}

impl From<ArchiveError> for CatError {
    fn from(e: ArchiveError) -> Self {
        Self::Archive(e.into())
    }
}

/// Writes every object of `collection` (of all, if `None`) to `out`, one a line, as the server printed it; in a
/// multi-tenant collection with a first member `tenant`. `memory_bytes`: what a line may take. Blocks. Nothing is written of a
/// part that is damaged; what was written of the parts before it stands, so only an `Ok` vouches for all of them.
///
/// # Errors
///
/// The archive is damaged or lacks the collection, or the output cannot be written.
pub fn run(
    disk: &Arc<dyn Disk>,
    path: &Path,
    collection: Option<&str>,
    memory_bytes: u64,
    out: &mut dyn Write,
) -> Result<(), CatError> {
    let lines = LongLines::within(memory_bytes, 1);
    let archive = Archive::open(disk, path)?;
    let is_there = |name: &str| archive.collections().iter().any(|entry| entry.name == name);
    let capital = |typed: &str| typed.parse().map(|name| select::capital(&name).to_string()).unwrap_or_default();
    let collection = collection.map(|typed| {
        let other = capital(typed);
        if !is_there(typed) && is_there(&other) { other } else { typed.to_owned() }
    });
    let collection = collection.as_deref();
    let wanted = |name: &str| collection.is_none_or(|c| c == name);
    if let Some(name) = collection.filter(|name| !is_there(name)) {
        let names: Vec<CollectionName> = archive.collections().iter().filter_map(|e| e.name.parse().ok()).collect();
        let similar = similar(name, &names.iter().collect::<Vec<_>>());
        return Err(Error::NotInArchive { name: name.to_owned(), similar }.into());
    }
    for entry in archive.collections().iter().filter(|e| wanted(&e.name)) {
        let runs = archive.runs(entry)?;
        for part in &entry.parts {
            let open = || archive.part(entry, part, &runs).map(|reader| reader.within(Box::new(lines.room())));
            let mut proof = open()?;
            while proof.next_line()?.is_some() {}
            proof.finish()?;
            // It may change meanwhile, so what is printed is proven too.
            let mut reader = open()?;
            while let Some(line) = reader.next_line()? {
                let tenant = reader.runs().get(line.run).and_then(|run| run.tenant.clone());
                let written = match tenant {
                    // Every object has members, so a comma belongs behind the one put first.
                    Some(tenant) => write!(out, "{{\"tenant\":\"{tenant}\",")
                        .and_then(|()| out.write_all(line.text.get(1..).unwrap_or_default())),
                    None => out.write_all(&line.text),
                };
                written.and_then(|()| out.write_all(b"\n")).map_err(CatError::Output)?;
            }
            reader.finish()?;
        }
    }
    out.flush().map_err(CatError::Output)
}
