//! Refusals that stay until an operator changes the server: its mode, its limits, its restrictions, a suspended namespace,
//! a reserved name. Known by the code in the answer first, by the server's words second; never asked again.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::pieces::Pieces;
use super::said;

/// The code of an answer about a usage limit (1.38).
const USAGE_LIMIT: &str = "USAGE_LIMIT_EXCEEDED";
/// The code of an answer about a restriction (1.38).
const NOT_ALLOWED: &str = "CONFIG_NOT_ALLOWED";
/// What a server answers, with 503, to what its operational mode forbids (`usecases/config/operational_mode.go`).
const MODES: [(&str, OperationalMode); 3] = [
    ("read-only mode is enabled", OperationalMode::ReadOnly),
    ("scale-out mode is enabled", OperationalMode::ScaleOut),
    ("write-only mode is enabled", OperationalMode::WriteOnly),
];
/// What is said of a namespace or a collection that is suspended (`usecases/namespaces/controller.go`,
/// `public_message.go`). A namespace that resumes is another matter: that passes.
const SUSPENDED: [&str; 3] = ["namespace is suspended", "collection is suspended", "instance suspended"];
/// What is said of a name that the server keeps for itself (`entities/schema/validation.go`, `usecases/schema/parser.go`).
const RESERVED: [&str; 3] = ["is a reserved property name", "is reserved for internal indices", "` is reserved"];
/// What is said where a server with namespaces wants a key of one (`usecases/auth/authorization/errors`,
/// `usecases/schema/namespacing`).
const NAMESPACED: [&str; 2] = ["must be namespaced on a namespaces-enabled cluster", "create requires a namespaced"];
/// What is said of a collection in a namespace with more than one shard (`usecases/schema/class.go`).
const ONE_SHARD: &str = "desiredCount is limited to 1";
/// What is said of a replication factor out of bounds, before the bound (`usecases/replica/config.go`).
const FACTOR_MOST: &str = "setup caps replication at ";
const FACTOR_LEAST: &str = "setup requires a minimum replication factor of ";
/// What is said of something that is switched off, and the setting that switches it on (`usecases/schema/class.go`,
/// `adapters/repos/db/ttl/config.go`).
const SWITCHED_OFF: [(&str, &str); 6] = [
    ("set 'ENABLE_TOKENIZER_GSE' to 'true'", "ENABLE_TOKENIZER_GSE"),
    ("set 'ENABLE_TOKENIZER_GSE_CH' to 'true'", "ENABLE_TOKENIZER_GSE_CH"),
    ("set 'ENABLE_TOKENIZER_KAGOME_KR' to 'true'", "ENABLE_TOKENIZER_KAGOME_KR"),
    ("set 'ENABLE_TOKENIZER_KAGOME_JA' to 'true'", "ENABLE_TOKENIZER_KAGOME_JA"),
    ("Set OBJECTS_TTL_DELETE_SCHEDULE to activate it", "OBJECTS_TTL_DELETE_SCHEDULE"),
    ("dynamic index can only be created", "ASYNC_INDEXING"),
];
/// What the server says of an object, a tenant or a collection beyond a limit, unless its operator chose other words
/// (`usecases/usagelimits/template.go`): in results of batches there is nothing but the words.
const LIMIT_WORDS: [&str; 2] = [" count limit of ", " reached for this instance"];
/// Digits of a number at most: none is longer.
const DIGITS_MAX: usize = 19;

/// What a server lets be done, by its `OPERATIONAL_MODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationalMode {
    /// Everything.
    ReadWrite,
    /// Reading alone; requests that write get 503.
    ReadOnly,
    /// Reading and moving replicas; requests that write get 503.
    ScaleOut,
    /// Writing alone; requests that read get 503, but for the nodes and the version.
    WriteOnly,
}

impl OperationalMode {
    /// Reads the word in `/v1/nodes`; `None` for a mode that is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ReadWrite, Self::ReadOnly, Self::ScaleOut, Self::WriteOnly].into_iter().find(|mode| mode.name() == text)
    }

    /// The server's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "ReadWrite",
            Self::ReadOnly => "ReadOnly",
            Self::ScaleOut => "ScaleOut",
            Self::WriteOnly => "WriteOnly",
        }
    }

    /// Whether collections and objects can be read.
    #[must_use]
    pub fn reads(self) -> bool {
        self != Self::WriteOnly
    }

    /// Whether anything can be changed.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::WriteOnly)
    }
}

impl fmt::Display for OperationalMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a usage limit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitOf {
    /// Objects, all collections together.
    Objects,
    /// Collections.
    Collections,
    /// Tenants of a collection.
    Tenants,
    /// Shards of a collection.
    Shards,
    /// Something else, in the server's word.
    Other(String),
}

impl LimitOf {
    fn parse(text: &str) -> Self {
        match text {
            "objects" => Self::Objects,
            "collections" => Self::Collections,
            "tenants" => Self::Tenants,
            "shards" => Self::Shards,
            other => Self::Other(said::harmless(other)),
        }
    }

    /// The variable of the server's environment that sets it, if that is known.
    #[must_use]
    pub fn setting(&self) -> Option<&'static str> {
        Some(match self {
            Self::Objects => "MAXIMUM_ALLOWED_OBJECTS_COUNT",
            Self::Collections => "MAXIMUM_ALLOWED_COLLECTIONS_COUNT",
            Self::Tenants => "MAXIMUM_ALLOWED_TENANTS_PER_COLLECTION",
            Self::Shards => "MAXIMUM_ALLOWED_SHARDS_PER_COLLECTION",
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for LimitOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Objects => "objects",
            Self::Collections => "collections",
            Self::Tenants => "tenants of a collection",
            Self::Shards => "shards of a collection",
            Self::Other(what) => what,
        })
    }
}

/// Why a server refuses until somebody changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastingCause {
    /// Its operational mode.
    Mode(OperationalMode),
    /// A usage limit is reached.
    UsageLimit {
        /// What is counted.
        of: LimitOf,
        /// The limit; `None` where the server does not say.
        value: Option<u64>,
    },
    /// A setting of a collection is not among those that are allowed.
    NotAllowed {
        /// Which one, in the server's word: `vector_index_type`, `compression`.
        restriction: String,
        /// What was asked for.
        value: String,
        /// What is allowed.
        allowed: Vec<String>,
    },
    /// The replication factor is out of bounds.
    ReplicationFactor {
        /// The highest one allowed.
        most: Option<u64>,
        /// The lowest one allowed.
        least: Option<u64>,
    },
    /// Something is switched off.
    SwitchedOff {
        /// The variable of the server's environment that switches it on.
        setting: &'static str,
    },
    /// The namespace of the collection, or of the key, is suspended.
    Suspended,
    /// A name is kept for the server's own use.
    ReservedName,
    /// Only a key that belongs to a namespace may do this.
    NeedsNamespace,
    /// A collection in a namespace has one shard.
    OneShard,
}

impl LastingCause {
    /// The variable of the server's environment that its operator can change, if there is one.
    #[must_use]
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Mode(_) => Some("OPERATIONAL_MODE"),
            Self::UsageLimit { of, .. } => of.setting(),
            Self::NotAllowed { restriction, .. } if restriction == "vector_index_type" => {
                Some("ALLOWED_VECTOR_INDEX_TYPES")
            }
            Self::NotAllowed { restriction, .. } if restriction == "compression" => Some("ALLOWED_COMPRESSION_TYPES"),
            Self::ReplicationFactor { most: Some(_), .. } => Some("REPLICATION_MAXIMUM_FACTOR"),
            Self::ReplicationFactor { .. } => Some("REPLICATION_MINIMUM_FACTOR"),
            Self::SwitchedOff { setting } => Some(setting),
            Self::NotAllowed { .. } | Self::Suspended | Self::ReservedName | Self::NeedsNamespace | Self::OneShard => {
                None
            }
        }
    }

    /// Whether the setting can also be changed while the server runs: in the file of runtime overrides it has the same
    /// name in lower case (`usecases/config/runtimeconfig.go`).
    #[must_use]
    pub fn is_set_at_runtime(&self) -> bool {
        matches!(self, Self::Mode(_) | Self::UsageLimit { .. } | Self::NotAllowed { .. }) && self.setting().is_some()
    }

    /// The cause that an answer other than 2xx tells of, by its code or its words. `sent` is the request's body: words that
    /// stand in it are the user's and prove nothing.
    pub(super) fn of_answer(status: u16, body: &[u8], words: &str, sent: Option<&Pieces>) -> Option<Self> {
        if let Some(cause) = of_code(body) {
            return Some(cause);
        }
        let cause = match status {
            503 => MODES.iter().find(|(said, _)| words.starts_with(said)).map(|(_, mode)| Self::Mode(*mode))?,
            400..=500 => of_words(words, sent)?,
            _ => return None,
        };
        Some(cause)
    }

    /// The cause in the words about a single object of a batch: there is no code for it. Words of an operator's own
    /// (`USAGE_LIMITS_ERROR_MESSAGE`) are not known.
    /// `sent` is the text of that object: a phrase that stands in it is the user's and proves nothing.
    #[must_use]
    pub fn of_result(words: &str, sent: &[u8]) -> Option<Self> {
        let is_own = |phrase: &str| !stands_in(phrase, sent);
        if let Some(said) = SUSPENDED.iter().find(|said| words.ends_with(**said)) {
            return is_own(said).then_some(Self::Suspended);
        }
        let [count, reached] = LIMIT_WORDS;
        let (before, rest) = words.split_once(count)?;
        let (digits, _) = rest.split_once(reached)?;
        let value = Some(digits).filter(|digits| digits.len() <= DIGITS_MAX)?.parse().ok()?;
        let word = before.rsplit([' ', ':']).next().unwrap_or_default();
        let of = LimitOf::parse(word);
        let phrase = format!("{word}{count}{digits}{reached}");
        (of.setting().is_some() && is_own(&phrase)).then_some(Self::UsageLimit { of, value: Some(value) })
    }

    /// The same with every text that the server chose made safe to show.
    pub(super) fn shown_by(self, safe: impl Fn(&str) -> String) -> Self {
        match self {
            Self::UsageLimit { of: LimitOf::Other(what), value } => {
                Self::UsageLimit { of: LimitOf::Other(safe(&what)), value }
            }
            Self::NotAllowed { restriction, value, allowed } => Self::NotAllowed {
                restriction: safe(&restriction),
                value: safe(&value),
                allowed: allowed.iter().map(|one| safe(one)).collect(),
            },
            other => other,
        }
    }
}

impl fmt::Display for LastingCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) if mode.writes() => {
                write!(f, "the server is in operational mode {mode}: it answers no reads")
            }
            Self::Mode(mode) => write!(f, "the server is in operational mode {mode}: it takes no writes"),
            Self::UsageLimit { of, value: Some(value) } => {
                write!(f, "the server's usage limit is reached: {of}, at most {value}")
            }
            Self::UsageLimit { of, value: None } => write!(f, "a usage limit of the server is reached: {of}"),
            Self::NotAllowed { restriction, value, allowed } => {
                let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
                let what = restriction.replace('_', " ");
                write!(f, "the server does not allow {value} as {what} (allowed: {allowed})")
            }
            Self::ReplicationFactor { most: Some(most), .. } => {
                write!(f, "the server allows a replication factor of {most} at most")
            }
            Self::ReplicationFactor { least, .. } => {
                write!(f, "the server wants a replication factor of at least {}", least.unwrap_or_default())
            }
            Self::SwitchedOff { setting } => write!(f, "the server has switched off what {setting} enables"),
            Self::Suspended => f.write_str("the namespace is suspended"),
            Self::ReservedName => f.write_str("the server keeps a name in it for its own use"),
            Self::NeedsNamespace => f.write_str("the server has namespaces, and the key belongs to none"),
            Self::OneShard => f.write_str("a collection in a namespace has one shard"),
        }
    }
}

/// The members of an answer that has a code. A body without one has none of the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coded {
    error_code: String,
    limit: Option<String>,
    value: Option<Value>,
    restriction: Option<String>,
    allowed: Option<Vec<String>>,
}

fn of_code(body: &[u8]) -> Option<LastingCause> {
    let coded: Coded = serde_json::from_slice(body).ok()?;
    match coded.error_code.as_str() {
        USAGE_LIMIT => {
            let of = LimitOf::parse(coded.limit.as_deref().unwrap_or("what it holds"));
            Some(LastingCause::UsageLimit { of, value: coded.value.as_ref().and_then(Value::as_u64) })
        }
        NOT_ALLOWED => Some(LastingCause::NotAllowed {
            restriction: said::harmless(coded.restriction.as_deref().unwrap_or("setting")),
            value: said::harmless(coded.value.as_ref().and_then(Value::as_str).unwrap_or("it")),
            allowed: coded.allowed.unwrap_or_default().iter().map(|one| said::harmless(one)).collect(),
        }),
        _ => None,
    }
}

/// Whether a phrase in ASCII stands in a JSON text, as it is or with any of its characters escaped.
fn stands_in(phrase: &str, json: &[u8]) -> bool {
    let holds = |text: &[u8]| memchr::memmem::find(text, phrase.as_bytes()).is_some();
    holds(json) || (json.contains(&b'\\') && holds(&unescaped(json)))
}

/// A JSON text with the escapes in its strings resolved: characters beyond ASCII become `?`. No JSON any more.
fn unescaped(json: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&escape, after)) = rest.split_first() else { break };
        rest = after;
        plain.push(match escape {
            b'u' => {
                let digits = rest.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                rest = rest.get(4..).unwrap_or_default();
                code.filter(u8::is_ascii).unwrap_or(b'?')
            }
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            other => other,
        });
    }
    plain
}

/// The same of a request's body.
fn is_sent(phrase: &str, sent: &Pieces) -> bool {
    sent.holds(phrase.as_bytes()) || (sent.holds(b"\\") && stands_in(phrase, &sent.concat()))
}

fn of_words(words: &str, sent: Option<&Pieces>) -> Option<LastingCause> {
    let says = |said: &str| words.contains(said) && !sent.is_some_and(|sent| is_sent(said, sent));
    let bound = |said: &str| {
        let rest = says(said).then(|| words.split_once(said)).flatten()?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end.min(DIGITS_MAX)].parse().ok()
    };
    if SUSPENDED.iter().any(|said| says(said)) {
        return Some(LastingCause::Suspended);
    }
    if RESERVED.iter().any(|said| says(said)) {
        return Some(LastingCause::ReservedName);
    }
    if NAMESPACED.iter().any(|said| says(said)) {
        return Some(LastingCause::NeedsNamespace);
    }
    if says(ONE_SHARD) {
        return Some(LastingCause::OneShard);
    }
    if let Some(most) = bound(FACTOR_MOST) {
        return Some(LastingCause::ReplicationFactor { most: Some(most), least: None });
    }
    if let Some(least) = bound(FACTOR_LEAST) {
        return Some(LastingCause::ReplicationFactor { most: None, least: Some(least) });
    }
    let (_, setting) = SWITCHED_OFF.iter().find(|(said, _)| says(said))?;
    Some(LastingCause::SwitchedOff { setting })
}

#[cfg(test)]
mod tests;
