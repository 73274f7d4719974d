//! Flags, environment and defaults made into plain values, once, in this order. What talks to servers and disks never
//! asks where a value came from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use secrecy::SecretString;

use super::args::{BackupArgs, Compression, ConnectionArgs, each_once};
use super::{Env, Failure, memory, paths, proxies, secrets};
use crate::archive::{Codec, Content};
use crate::event::{Class, Warning};
use crate::model::Selection;
use crate::ops::backup::{BackupOptions, Resume};
use crate::ops::bounds;

/// The server where nothing names one.
const DEFAULT_URL: &str = "http://localhost:8080";
/// The folder of archives where nothing names one.
const DEFAULT_FOLDER: &str = "./backups";
/// The variable that names the folder of archives.
const ARCHIVES: &str = "ELYSIACTL_ARCHIVE_DIR";

/// How to reach a server. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The URL as it was given.
    pub url: String,
    /// Where it came from, for messages: `--url`, a variable's name, or `default`.
    pub url_from: &'static str,
    /// The API key.
    pub key: Option<SecretString>,
    /// Headers to send with every request, in the order given.
    pub headers: Vec<(String, SecretString)>,
    /// Certificates to trust beside the system's.
    pub ca_cert_pem: Option<Vec<u8>>,
    /// Client certificate and its key, one PEM text.
    pub client_pem: Option<SecretString>,
    /// Files among these that others may read or change, to be warned of.
    pub exposed: Vec<Warning>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// How long an answer may stand still.
    pub stall_timeout: Duration,
}

impl Connect {
    /// Reads every file named.
    pub(super) fn resolve(args: &ConnectionArgs, env: &Env) -> Result<Self, Failure> {
        if args.api_key.is_some() {
            let message = "--api-key is refused: a key on the command line can be read by every user of this machine";
            return Err(Failure::new(Class::Usage, message)
                .hint("put the key into the environment variable WEAVIATE_API_KEY")
                .hint("or into a file, and name it with --api-key-file FILE (`-` for stdin)"));
        }
        // The two pairs are never mixed: a key only goes to the server it belongs to.
        let (url, url_from, key_name) = match (&args.url, env.text("WEAVIATE_URL")?, env.text("WCD_URL")?) {
            (Some(url), _, _) => (url.clone(), "--url", "WEAVIATE_API_KEY"),
            (None, Some(url), _) => (url, "WEAVIATE_URL", "WEAVIATE_API_KEY"),
            (None, None, Some(url)) => (url, "WCD_URL", "WCD_API_KEY"),
            (None, None, None) => (DEFAULT_URL.into(), "default", "WEAVIATE_API_KEY"),
        };
        let mut exposed = secrets::Exposed::default();
        let key = match &args.api_key_file {
            Some(path) => Some(secrets::key_from(path, &mut exposed)?),
            None => secrets::key_in(env, key_name)?,
        };
        proxies::usable(env, &url)?;
        let mut header = |text: &String| secrets::header(text, env, &mut exposed);
        let headers: Vec<(String, _)> = args.header.iter().map(&mut header).collect::<Result<_, _>>()?;
        if key.is_some() && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            let from = if args.api_key_file.is_some() { "--api-key-file" } else { key_name };
            let message = format!("--header Authorization and the key of {from} cannot be sent both");
            return Err(Failure::new(Class::Usage, message).hint("leave one of them out"));
        }
        let ca_cert = args.ca_cert.as_deref();
        let ca_cert_pem = ca_cert.map(|path| secrets::pem(path, "CA certificate", &mut exposed)).transpose()?;
        let client_pem = args.client_cert.as_deref().zip(args.client_key.as_deref());
        let client_pem = client_pem.map(|(cert, key)| secrets::identity(cert, key, &mut exposed)).transpose()?;
        Ok(Self {
            url,
            url_from,
            key,
            headers,
            ca_cert_pem,
            client_pem,
            exposed: exposed.0,
            insecure: args.insecure,
            stall_timeout: args.stall_timeout,
        })
    }
}

/// What `col backup` is to do.
#[derive(Debug, Clone)]
pub struct BackupSettings {
    /// Only plan.
    pub dry_run: bool,
    /// All else.
    pub(super) options: BackupOptions,
}

impl BackupSettings {
    pub(super) fn resolve(args: &BackupArgs, env: &Env) -> Result<Self, Failure> {
        codec_is_no_collection(args)?;
        let folder = named_or_folder(args.output.as_ref(), env)?;
        let as_before = args.collections.is_empty()
            && args.exclude.is_empty()
            && args.tenant.is_empty()
            && args.compress.is_none()
            && !(args.schema_only || args.skip_vectors || args.include_data || args.include_vectors);
        let resume = args
            .resume
            .as_ref()
            .map(|named| Resume { archive: named.as_ref().map(|named| place_in(&folder, named)), as_before });
        let options = BackupOptions {
            folder,
            selection: Selection { take: args.collections.clone(), exclude: args.exclude.clone() },
            tenants: each_once(&args.tenant)?,
            content: match (args.schema_only, args.skip_vectors) {
                (true, _) => Content::SchemaOnly,
                (false, true) => Content::NoVectors,
                (false, false) => Content::Full,
            },
            codec: match args.compress {
                None => Codec::None,
                Some(Compression::Zstd) => Codec::Zstd,
                Some(Compression::Gzip) => Codec::Gzip,
                Some(Compression::Lz4) => Codec::Lz4,
            },
            jobs: args.jobs.map(Into::into),
            page_objects: args.batch_size.map(Into::into),
            memory_bytes: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
            part_age: BackupOptions::PART_AGE,
            patience: bounds::PATIENCE,
            // Without such a place everything can be backed up but tenants that sleep.
            state: restore::state_folders(args.run_dir.as_deref(), env).ok(),
            allow_missing_nodes: args.allow_missing_nodes,
            resume,
        };
        Ok(Self { dry_run: args.dry_run, options })
    }
}

/// The folder of archives, unless a flag names another.
pub(super) fn folder(env: &Env) -> Result<PathBuf, Failure> {
    let Some(typed) = env.raw(ARCHIVES) else { return Ok(DEFAULT_FOLDER.into()) };
    paths::local_in(env, &typed).map_err(|why| Failure::new(Class::Usage, format!("{ARCHIVES}: {why}")))
}

/// The archive meant: a path, or else a name in the folder of archives.
pub(super) fn place(archive: &Path, env: &Env) -> Result<PathBuf, Failure> {
    Ok(place_in(&folder(env)?, archive))
}

/// A path, or else a name in this folder of archives.
pub(super) fn place_in(folder: &Path, archive: &Path) -> PathBuf {
    let inside = folder.join(archive);
    if !archive.exists() && archive.components().count() == 1 && inside.exists() { inside } else { archive.to_owned() }
}

/// The folder that a flag names, or else the folder of archives.
fn named_or_folder(named: Option<&PathBuf>, env: &Env) -> Result<PathBuf, Failure> {
    named.map_or_else(|| folder(env), |named| Ok(named.clone()))
}

/// `-z zstd` looks as if it chose a codec, and would look for a collection.
fn codec_is_no_collection(args: &BackupArgs) -> Result<(), Failure> {
    let codec = |name: &&String| Compression::value_variants().iter().any(|known| is_named(*known, name));
    match args.collections.iter().find(codec) {
        Some(codec) if args.compress.is_some() => {
            Err(Failure::new(Class::Usage, format!("{codec:?} stands where a collection is named"))
                .hint(format!("a codec is part of its flag: --compress={codec} or -z={codec}")))
        }
        _ => Ok(()),
    }
}

fn is_named(codec: Compression, name: &str) -> bool {
    codec.to_possible_value().is_some_and(|known| known.matches(name, false))
}

mod clear;
mod restore;
mod rm;

pub use clear::ClearSettings;
pub(super) use restore::state_folders;
pub use restore::{RestoreSettings, Source};
pub use rm::RmSettings;
pub(super) use rm::state_alone;

#[cfg(test)]
mod tests;
