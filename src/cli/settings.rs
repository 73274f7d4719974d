//! Flags, environment and defaults made into plain values, once, in this order. What talks to servers and disks never
//! asks where a value came from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::args::ConnectionArgs;
use super::{Env, Failure, paths, proxies, secrets};
use crate::event::{Class, Warning};
use crate::ops::StateFolders;

/// The server where nothing names one.
const DEFAULT_URL: &str = "http://localhost:8080";
/// The folder of archives where nothing names one.
const DEFAULT_FOLDER: &str = "./backups";
/// Our directory in the user's folder for state.
const OURS: &str = "elysiactl";
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
pub(super) fn named_or_folder(named: Option<&PathBuf>, env: &Env) -> Result<PathBuf, Failure> {
    named.map_or_else(|| folder(env), |named| Ok(named.clone()))
}

/// Where files about runs lie: the folder named, or else ours in the user's folder for state.
pub(super) fn state_folders(named: Option<&Path>, env: &Env) -> Result<StateFolders, Failure> {
    let from = |name: &str| env.raw(name).map(PathBuf::from);
    let state = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else {
        // A relative one is to be ignored, says the specification.
        let xdg = from("XDG_STATE_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| from("HOME").map(|home| home.join(".local/state")))
    };
    // Locks lie in one place, whatever a run calls its own: two runs have to meet there.
    let ours = match (state.map(|state| state.join(OURS)), named) {
        (Some(ours), Some(dir)) => return Ok(StateFolders { runs: dir.to_owned(), locks: ours.join("locks") }),
        (None, Some(dir)) => return Ok(StateFolders { runs: dir.to_owned(), locks: dir.join("locks") }),
        (ours, None) => ours,
    };
    let Some(ours) = ours else {
        let home = if cfg!(windows) { "LOCALAPPDATA is" } else { "neither XDG_STATE_HOME nor HOME is" };
        return Err(Failure::new(Class::Usage, "there is no folder for the files of this run")
            .because(format!("{home} set"))
            .hint("name one with --run-dir DIR"));
    };
    Ok(StateFolders { runs: ours.join("runs"), locks: ours.join("locks") })
}

/// Where locks lie, for commands that write no other files about their runs.
pub(super) fn locks(env: &Env) -> Result<PathBuf, Failure> {
    Ok(state_alone(env)?.locks)
}

/// Where files about runs lie, for commands that have no flag for it.
pub(super) fn state_alone(env: &Env) -> Result<StateFolders, Failure> {
    state_folders(None, env).map_err(|failure| {
        let hint = if cfg!(windows) { "set LOCALAPPDATA" } else { "set XDG_STATE_HOME or HOME" };
        Failure { hints: vec![hint.into()], ..failure }
    })
}

#[cfg(test)]
mod tests;
