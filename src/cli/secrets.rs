//! Reads what must not stand on a command line: keys, header values, certificates. No value read here is ever printed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};

use super::paths::local_in;
use super::{Env, Failure};
use crate::event::{Class, Warning};
use crate::model::{ShellWord, path_text};

/// The largest file a key, a header value or a certificate is read from.
const FILE_BYTES: u64 = 1024 * 1024;
/// The bits of a file's mode that let everybody read and write.
#[cfg(unix)]
const OTHERS_READ: u32 = 0o004;
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o002;
/// What stands in front of a key in its header, and belongs to no key.
const SCHEME: &str = "Bearer ";
/// Headers that belong to the connection itself.
const RESERVED: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
/// A header whose name holds one of these is taken to be secret.
const SECRET_WORDS: [&str; 9] =
    ["auth", "key", "token", "secret", "password", "passwd", "credential", "cookie", "session"];

/// The API key from a file, or from stdin for `-`. White space around it is no part of it.
pub(super) fn key_from(path: &Path, exposed: &mut Exposed) -> Result<SecretString, Failure> {
    if path == Path::new("-") {
        return key(&read_from(Path::new("stdin"), "API key", || read(io::stdin().lock()))?, "stdin");
    }
    key(&open(path, "API key", Some(exposed))?, &ShellWord::path(path).to_string())
}

/// The API key from an environment variable.
pub(super) fn key_in(env: &Env, name: &str) -> Result<Option<SecretString>, Failure> {
    env.text(name)?.map(|text| key(&text, name)).transpose()
}

fn key(text: &str, from: &str) -> Result<SecretString, Failure> {
    let key = text.trim_start_matches('\u{feff}').trim();
    if key.is_empty() {
        return Err(Failure::new(Class::Usage, format!("the API key from {from} is empty")));
    }
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!("the API key from {from} holds characters that no key has");
        let failure = Failure::new(Class::Usage, message).hint("it must be one line of visible ASCII characters");
        let scheme = key.get(..SCHEME.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SCHEME));
        return Err(if scheme {
            failure.hint("leave out the word Bearer: elysiactl puts it in front")
        } else {
            failure
        });
    }
    Ok(key.to_owned().into())
}

/// One `--header`: NAME=@env:VAR, NAME=@file:PATH, or NAME=VALUE where the name tells of no secret.
pub(super) fn header(text: &str, env: &Env, exposed: &mut Exposed) -> Result<(String, SecretString), Failure> {
    let usage = |message: String| Failure::new(Class::Usage, message);
    let hint = "write --header NAME=@env:VARIABLE or --header NAME=@file:PATH";
    let Some((name, value)) = text.split_once('=') else {
        return Err(usage("--header needs NAME=VALUE".into()).hint(hint));
    };
    let lower = name.to_ascii_lowercase();
    let name_ok =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if !name_ok {
        return Err(usage("--header: the name before '=' is not a header's name".into()).hint(hint));
    }
    if RESERVED.contains(&lower.as_str()) {
        return Err(usage(format!("--header {name}: this header belongs to the connection and cannot be set")));
    }
    let value = if let Some(variable) = value.strip_prefix("@env:") {
        let missing = || usage(format!("--header {name}: the environment variable {variable} is not set"));
        env.text(variable)?.ok_or_else(missing)?
    } else if let Some(path) = value.strip_prefix("@file:") {
        let path = local_in(env, OsStr::new(path)).map_err(|why| usage(format!("--header {name}: {why}")))?;
        open(&path, &format!("value of the header {name}"), Some(exposed))?
    } else if SECRET_WORDS.iter().any(|word| lower.contains(word)) {
        let message =
            format!("--header {name}: a secret on the command line can be read by every user of this machine");
        return Err(usage(message).hint(hint));
    } else {
        value.to_owned()
    };
    let value = value.trim();
    if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(usage(format!("--header {name}: the value holds characters that no header may have")));
    }
    Ok((name.into(), value.to_owned().into()))
}

/// Certificates as PEM.
pub(super) fn pem(path: &Path, what: &str, exposed: &mut Exposed) -> Result<Vec<u8>, Failure> {
    let text = open(path, what, None).inspect(|_| exposed.look_at_trust(path))?;
    if_pem(text, path, what)
}

fn if_pem(text: String, path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    if text.contains("-----BEGIN ") {
        return Ok(text.into_bytes());
    }
    let message = format!("{what}: {} is not a PEM file", ShellWord::path(path));
    Err(Failure::new(Class::Usage, message).hint("a PEM file has a line that starts with -----BEGIN"))
}

/// A certificate and its private key as one PEM text.
pub(super) fn identity(certificate: &Path, key: &Path, exposed: &mut Exposed) -> Result<SecretString, Failure> {
    let text = if_pem(open(key, "private key", Some(exposed))?, key, "private key")?;
    let key: SecretString = String::from_utf8_lossy(&text).into_owned().into();
    let certificate = pem(certificate, "client certificate", exposed)?;
    Ok(format!("{}\n{}", String::from_utf8_lossy(&certificate), key.expose_secret()).into())
}

/// `exposed`: where to note who may read or write it, if it is a secret.
fn open(path: &Path, what: &str, exposed: Option<&mut Exposed>) -> Result<String, Failure> {
    read_from(path, what, || {
        // A pipe is as good as a file: a shell's `<(…)` is one.
        let file = File::open(path)?;
        if let Some(exposed) = exposed {
            exposed.look_at_secret(&file, path);
        }
        read(file)
    })
}

/// Files with secrets or certificates that everybody on this machine may read or write.
#[derive(Debug, Clone, Default)]
pub(super) struct Exposed(pub(super) Vec<Warning>);

impl Exposed {
    #[cfg(unix)]
    fn look_at_secret(&mut self, file: &File, path: &Path) {
        use std::os::unix::fs::MetadataExt;
        let Ok(found) = file.metadata() else { return };
        let path = path_text(path);
        if found.is_file() && found.mode() & OTHERS_READ != 0 {
            self.0.push(Warning::SecretReadableByAll { path: path.clone() });
        }
        if found.is_file() && found.mode() & OTHERS_WRITE != 0 {
            self.0.push(Warning::WritableByAll { path });
        }
    }

    /// Who can change what is trusted can read what is sent.
    #[cfg(unix)]
    fn look_at_trust(&mut self, path: &Path) {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path);
        if found.is_ok_and(|found| found.is_file() && found.mode() & OTHERS_WRITE != 0) {
            self.0.push(Warning::WritableByAll { path: path_text(path) });
        }
    }

    #[cfg(not(unix))]
    fn look_at_secret(&mut self, _: &File, _: &Path) {}

    #[cfg(not(unix))]
    fn look_at_trust(&mut self, _: &Path) {}
}

fn read(from: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let bytes = from.take(FILE_BYTES + 1).read_to_string(&mut text)?;
    ensure!(bytes as u64 <= FILE_BYTES, "larger than 1 MiB");
    Ok(text)
}

/// Says of what cannot be read what it is and where it lies.
fn read_from(path: &Path, what: &str, read: impl FnOnce() -> anyhow::Result<String>) -> Result<String, Failure> {
    let read = read().with_context(|| format!("cannot read the {what} from {}", ShellWord::path(path)));
    read.map_err(Failure::of(Class::Usage))
}
