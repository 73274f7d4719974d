//! How a server is reached: the flags with their help, what they and the environment come to, and the client made of it.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use clap::{Args, ValueHint};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::explain::{Verb, explain};
use super::{Env, Failure, proxies, secrets};
use crate::event::{Class, Events, Warning};
use crate::render::quoted;
use crate::weaviate::{Client, Connection, HeaderName};

/// The server where nothing names one.
const DEFAULT_URL: &str = "http://localhost:8080";
/// The shortest and the longest `--stall-timeout`.
const STALL_TIMEOUTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3_600)];

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// The server [env: WEAVIATE_URL] [default: http://localhost:8080]
    ///
    /// Without a scheme https is used, and http for this machine. If neither --url nor WEAVIATE_URL is given, WCD_URL
    /// is used together with WCD_API_KEY.
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// Read the API key from a file, `-` for stdin; otherwise it comes from the environment [env: WEAVIATE_API_KEY]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub api_key_file: Option<PathBuf>,
    // Refused with advice: what stands on a command line can be read by every user of the machine.
    #[arg(long, global = true, hide = true, num_args = 0..=1, default_missing_value = "", allow_hyphen_values = true)]
    pub api_key: Option<String>,
    /// Send a header with every request: NAME=@env:VAR or NAME=@file:PATH; may be repeated
    ///
    /// NAME=VALUE is taken only for headers that hold no secret.
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub header: Vec<String>,
    /// Trust the certificates in this PEM file as well
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_cert: Option<PathBuf>,
    /// Client certificate (PEM) for mutual TLS
    #[arg(long, global = true, value_name = "FILE", requires = "client_key", value_hint = ValueHint::FilePath)]
    pub client_cert: Option<PathBuf>,
    /// Private key (PEM) of --client-cert
    #[arg(long, global = true, value_name = "FILE", requires = "client_cert", value_hint = ValueHint::FilePath)]
    pub client_key: Option<PathBuf>,
    /// Do not check the server's certificate
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Abort a response that makes no progress for this long; there is no total time limit
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = stall_timeout)]
    pub stall_timeout: Duration,
}

fn stall_timeout(text: &str) -> anyhow::Result<Duration> {
    let time = humantime::parse_duration(text).map_err(|error| anyhow!("{error}; for example 30s or 2m"))?;
    let [least, most] = STALL_TIMEOUTS;
    ensure!((least..=most).contains(&time), "must lie between 1s and 1h");
    Ok(time)
}

/// What the flags and variables are called that name a server and its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerNames {
    /// The flag of its address.
    pub url_flag: &'static str,
    /// The flag of the file with its key.
    pub key_flag: &'static str,
    /// The variables of its address and of its key.
    pub variables: [&'static str; 2],
    /// Other such pairs, for where the first address is not set. A key only goes to the server it belongs to, so that no
    /// pair is mixed with another.
    pub others: &'static [[&'static str; 2]],
}

/// The server that every verb works with.
const THE_SERVER: ServerNames = ServerNames {
    url_flag: "--url",
    key_flag: "--api-key-file",
    variables: ["WEAVIATE_URL", "WEAVIATE_API_KEY"],
    others: &[["WCD_URL", "WCD_API_KEY"]],
};

/// How to reach a server. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The URL as it was given.
    pub url: String,
    /// Where it came from, for messages: its flag, a variable's name, or `default`.
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
    /// What flags and the environment say of the server. Reads every file named.
    pub(super) fn resolve(args: &ConnectionArgs, env: &Env) -> Result<Self, Failure> {
        Self::named(&THE_SERVER, args, env)
    }

    /// The same for a server that goes by these names. `args`: what was given under them, and how it is spoken to.
    pub(super) fn named(names: &ServerNames, args: &ConnectionArgs, env: &Env) -> Result<Self, Failure> {
        if args.api_key.is_some() {
            let message = "--api-key is refused: a key on the command line can be read by every user of this machine";
            return Err(Failure::new(Class::Usage, message)
                .hint("put the key into the environment variable WEAVIATE_API_KEY")
                .hint("or into a file, and name it with --api-key-file FILE (`-` for stdin)"));
        }
        let [url_name, key_name] = names.variables;
        let mut set = env.text(url_name)?.map(|url| (url, url_name, key_name));
        for [url_name, key_name] in names.others {
            let other = env.text(url_name)?.map(|url| (url, *url_name, *key_name));
            set = set.or(other);
        }
        let typed = args.url.clone().map(|url| (url, names.url_flag, key_name));
        let (url, url_from, key_name) = typed.or(set).unwrap_or_else(|| (DEFAULT_URL.into(), "default", key_name));
        let mut exposed = secrets::Exposed::default();
        let key = match &args.api_key_file {
            Some(path) => Some(secrets::key_from(path, &mut exposed)?),
            None => secrets::key_in(env, key_name)?,
        };
        proxies::usable(env, &url)?;
        let mut header = |text: &String| secrets::header(text, env, &mut exposed);
        let headers: Vec<(String, _)> = args.header.iter().map(&mut header).collect::<Result<_, _>>()?;
        if key.is_some() && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            let from = if args.api_key_file.is_some() { names.key_flag } else { key_name };
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

    /// What a command that is to be typed next needs to reach this server at `url`, a space before it: nothing, unless the
    /// address was typed this time.
    pub(super) fn url_flag(&self, url: &str) -> String {
        if self.url_from.starts_with("--") { format!(" {} {}", self.url_from, quoted(url)) } else { String::new() }
    }

    /// A client for this server, and for what a verb does with it.
    pub(super) fn client(&self, verb: Verb, events: &Events) -> Result<Client, Failure> {
        self.exposed.iter().for_each(|warning| events.warn(warning.clone()));
        let wrong = |e: crate::weaviate::Error| explain(verb, &e.into());
        let of_address = |e| wrong(e).hint(format!("the address comes from {}", self.url_from));
        let mut connection = Connection::new(Connection::parse_url(&self.url).map_err(of_address)?);
        connection.key.clone_from(&self.key);
        for (name, value) in &self.headers {
            let parsed = HeaderName::from_bytes(name.as_bytes());
            let name = parsed.map_err(|_| Failure::new(Class::Usage, format!("{name} is not a header's name")))?;
            connection.headers.push((name, value.clone()));
        }
        connection.ca_cert_pem.clone_from(&self.ca_cert_pem);
        let pem = self.client_pem.as_ref();
        connection.client_cert_pem = pem.map(|pem| SecretSlice::from(pem.expose_secret().as_bytes().to_vec()));
        connection.insecure = self.insecure;
        connection.stall_timeout = self.stall_timeout;
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        Client::new(connection, events.clone(), seed).map_err(wrong)
    }
}

#[cfg(test)]
mod tests;
