//! What the value of a flag may be. A reason is a fragment that stands behind the flag and the value.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytesize::ByteSize;
use clap::ValueEnum;

use crate::model::{CollectionName, RenamePattern, Renames, Share};

/// The smallest `--memory-limit`: a handful of pages and the buffers of one codec.
const LEAST_MEMORY: ByteSize = ByteSize::mib(16);
/// The largest `--jobs`: each has a connection and buffers, and no server answers more side by side any faster.
const MOST_JOBS: usize = 256;

/// The longest name of a property that servers take.
const PROPERTY_NAME_CHARS: usize = 231;
/// The data types that a flag can name.
const DATA_TYPES: [&str; 16] = [
    "text",
    "text[]",
    "int",
    "int[]",
    "number",
    "number[]",
    "boolean",
    "boolean[]",
    "date",
    "date[]",
    "uuid",
    "uuid[]",
    "geoCoordinates",
    "phoneNumber",
    "blob",
    "blobHash",
];

/// How files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Compression {
    /// Zstandard.
    Zstd,
    /// gzip.
    Gzip,
    /// LZ4.
    Lz4,
}

/// A number of objects.
pub(in crate::cli) fn first_objects(text: &str) -> Result<NonZeroU64> {
    let number: u64 = text.parse().context("not a whole number")?;
    NonZeroU64::new(number).context("must be at least 1")
}

/// A share of objects of which each is in it or not whoever asks.
pub(in crate::cli) fn sample_share(text: &str) -> Result<Share> {
    Ok(text.parse()?)
}

/// A number of things of which there has to be one.
pub(in crate::cli) fn at_least_one(text: &str) -> Result<NonZeroU32> {
    let number: u64 = text.parse().context("not a whole number")?;
    let number = u32::try_from(number).ok().and_then(NonZeroU32::new);
    number.with_context(|| format!("must lie between 1 and {}", u32::MAX))
}

pub(in crate::cli) fn memory_limit(text: &str) -> Result<ByteSize> {
    let size = text.parse().map_err(|_| anyhow!("not a size; for example 64MiB"))?;
    ensure!(size >= LEAST_MEMORY, "must be at least {LEAST_MEMORY}");
    Ok(size)
}

pub(in crate::cli) fn jobs(text: &str) -> Result<NonZeroUsize> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= MOST_JOBS);
    jobs.with_context(|| format!("must be a number from 1 to {MOST_JOBS}"))
}

pub(in crate::cli) fn collection_name(text: &str) -> Result<CollectionName> {
    Ok(text.parse()?)
}

/// A new name for one collection, or for all of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Rename {
    Pair(CollectionName, CollectionName),
    Pattern(RenamePattern),
}

impl Rename {
    /// All of them; the collection that is named twice, if one is.
    pub(in crate::cli) fn all(given: &[Self]) -> Result<Renames, CollectionName> {
        let mut renames = Renames::default();
        for one in given {
            match one {
                Self::Pattern(pattern) => renames.insert_pattern(pattern.clone()),
                Self::Pair(old, new) if renames.insert(old.clone(), new.clone()).is_some() => return Err(old.clone()),
                Self::Pair(..) => {}
            }
        }
        Ok(renames)
    }
}

pub(in crate::cli) fn rename(text: &str) -> Result<Rename> {
    let (old, new) = text.split_once('=').context("must be OLD=NEW")?;
    if text.contains('*') {
        return RenamePattern::parse(old, new).map(Rename::Pattern).context("one * on each side, or none");
    }
    Ok(Rename::Pair(collection_name(old)?, collection_name(new)?))
}

/// A property's name, and its data type or the collection it refers to.
pub(in crate::cli) fn property(text: &str) -> Result<(String, String)> {
    let (name, data_type) = text.split_once(':').context("must be NAME:TYPE, such as title:text")?;
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !word || name.is_empty() || name.len() > PROPERTY_NAME_CHARS || name.starts_with(|c: char| c.is_ascii_digit()) {
        bail!("{name:?} is not a property's name: letters, digits and _, no digit first");
    }
    if data_type.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Ok((name.to_owned(), collection_name(data_type)?.to_string()));
    }
    if DATA_TYPES.contains(&data_type) {
        return Ok((name.to_owned(), data_type.to_owned()));
    }
    let also = if data_type.starts_with("object") { "; object needs --schema-file" } else { "" };
    bail!("{data_type:?} is none of {}, or a collection{also}", DATA_TYPES.join(", "))
}

/// A share above 0 and at most 1, also in percent.
pub(in crate::cli) fn share(text: &str) -> Result<f64> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().context("not a share; for example 1%")? / whole;
    ensure!(share > 0.0 && share <= 1.0, "must be above 0% and at most 100%");
    Ok(share)
}
