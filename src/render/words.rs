//! Numbers, times and warnings as people read them, and values made safe for a terminal.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use super::remark::{not_kept, skip_reason};
use crate::event::{SavedSchema, Warning};
use crate::model::{ShellWord, TenantName, escaped, shell_text};

pub use crate::model::{count, counted};

/// The longest value printed, in characters.
const VALUE_CHARS: usize = 500;
/// The longest sentence printed, in characters: a path of 4,096 bytes, each escaped, and what is said of it.
const SENTENCE_CHARS: usize = 4 * 4_096 + 1_000;

/// A value from elsewhere, made safe for a terminal: what could steer it or shows nothing is escaped, and what is longer
/// than 500 characters is cut.
#[must_use]
pub fn plain(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => escaped(&value[..end]) + "…",
        None => escaped(value),
    }
}

/// A sentence of ours with values in it, made safe for a terminal. It may hold a path, which is never cut short of what a
/// path can be.
#[must_use]
pub fn sentence(text: &str) -> String {
    match text.char_indices().nth(SENTENCE_CHARS) {
        Some((end, _)) => escaped(&text[..end]) + "…",
        None => escaped(text),
    }
}

/// Text of several lines of ours, in which a value was forgotten or not: made safe for a terminal, its line breaks kept.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// A name as it has to be typed in a shell, in quotes only where it needs them.
#[must_use]
pub fn quoted(value: &str) -> String {
    ShellWord::of(value).to_string()
}

/// A flag with its value for a command that is to be typed, a space before it. The name of a tenant may begin with a dash.
#[must_use]
pub fn flag(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!(" {name}{between}{}", quoted(value))
}

/// A path as it has to be typed in a shell.
#[must_use]
pub fn shell_path(path: impl AsRef<Path>) -> String {
    ShellWord::path(&path).to_string()
}

/// A moment, in the one way that moments are shown: `2026-11-28 21:04:00Z`.
#[must_use]
pub fn date(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `1234567` as `1.2M`: at most five characters up to a billion.
pub(super) fn short(number: u64) -> String {
    scaled(number, 1_000, &["", "k", "M", "G", "T", "P", "E"])
}

/// Bytes in binary units: `12.3 MiB`.
#[must_use]
pub fn size(number: u64) -> String {
    scaled(number, 1_024, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
}

fn scaled(number: u64, base: u64, units: &[&str]) -> String {
    let mut unit = 1_u64;
    let mut at = 0;
    // 999,950 would round to 1000.0k.
    while at + 1 < units.len() && u128::from(number) * 20 >= u128::from(unit) * u128::from(base) * 20 - u128::from(unit)
    {
        unit = unit.saturating_mul(base);
        at += 1;
    }
    if at == 0 {
        return format!("{number}{}", units[0]);
    }
    let tenths = (u128::from(number) * 10 + u128::from(unit) / 2) / u128::from(unit);
    format!("{}.{}{}", tenths / 10, tenths % 10, units[at])
}

/// A span of time: `8s`, `12m03s`, `1h02m`.
#[must_use]
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// So many tenants, with the name of the first.
pub(super) fn tenants_from(tenants: u64, first: &TenantName) -> String {
    match tenants {
        1 => format!("tenant {first}"),
        more => format!("{} ({first} first)", counted(more, "tenant")),
    }
}

/// So many tenants, as a subject with its verb.
pub(super) fn tenants_are(tenants: u64) -> String {
    format!("{} {}", counted(tenants, "tenant"), if tenants == 1 { "is" } else { "are" })
}

/// The same of what is over.
pub(super) fn tenants_were(tenants: u64) -> String {
    format!("{} {}", counted(tenants, "tenant"), if tenants == 1 { "was" } else { "were" })
}

/// A warning as a sentence.
#[expect(clippy::too_many_lines, reason = "one table")]
pub(super) fn warning(warning: &Warning) -> String {
    match warning {
        Warning::KeyOverHttp { host } => {
            format!("the API key crosses the network to {} unencrypted; use https://", plain(host))
        }
        Warning::SecretReadableByAll { path } => {
            format!("every user of this machine may read the secret in {}; chmod 600 it", shell_text(path))
        }
        Warning::WritableByAll { path } => {
            format!("every user of this machine may write to {}; what lies there may not be yours", shell_text(path))
        }
        Warning::TopologyUnchecked { reason } => {
            format!("cannot ask whether every node of the server is there: {}", plain(reason))
        }
        Warning::ReplicasMove { collection, moves } => format!(
            "{collection}: the server moves {} between nodes, and deactivates none of their tenants until that is over",
            self::counted(*moves, "replica")
        ),
        Warning::MovesAwaited { collection, tenants } => format!(
            "{collection}: {} active until the server has moved their replicas; it is asked again for a minute",
            if *tenants == 1 { "1 tenant stays".to_owned() } else { format!("{} tenants stay", count(*tenants)) }
        ),
        Warning::NodesMissing { nodes } => format!(
            "nodes are missing: {}; every shard has a majority of its replicas on the others, and those are read",
            plain(&nodes.join(", "))
        ),
        Warning::CountUnchecked { collection, reason } => {
            format!("{collection}: the server does not say how many objects there are: {}", plain(reason))
        }
        Warning::NotKept { file, reason } => format!("{} is not kept: {}", shell_text(file), plain(&not_kept(reason))),
        Warning::NothingToResume { folder } => {
            format!("no interrupted backup in {} fits; a new one begins", shell_text(folder))
        }
        Warning::SealedAlready { archive, sealed } => {
            format!(
                "{} was sealed on {} already: nothing was read, and nothing checked",
                shell_text(archive),
                date(*sealed)
            )
        }
        Warning::TaskRuns { collection, task } => format!(
            "{collection}: the server works on it ({}), and until that is done it refuses to delete it or tenants of it",
            plain(task)
        ),
        Warning::CollectionSkipped { collection, reason } => {
            format!("{collection} left out: {}", plain(&skip_reason(reason)))
        }
        Warning::TenantsSkipped { collection, tenants, first, reason } => {
            format!("{collection}: {} left out: {}", tenants_from(*tenants, first), plain(&skip_reason(reason)))
        }
        Warning::TenantsChanged { collection, added, deleted, first } => {
            let (added, deleted) = (counted(*added, "tenant"), count(*deleted));
            format!("{collection}: {added} came and {deleted} went while it was read ({first} first)")
        }
        Warning::TenantsStayActive { collection, tenants, first, reason, noted } => format!(
            "{collection}: {} activated and not deactivated: {}; {}",
            tenants_from(*tenants, first),
            plain(reason),
            if *noted { "the next backup or comparison of it does it" } else { "deactivate them if nobody needs them" }
        ),
        Warning::TenantsLeftActive { collection, tenants, first } => {
            format!("{collection}: {} left active by a run that was killed; deactivated", tenants_from(*tenants, first))
        }
        Warning::TenantsNotKnownAgain { collection, tenants, first } => format!(
            "{collection}: {} perhaps left active by a run that was killed, and not deactivated: nothing proves that they are not \
             others by now (written to, created again, or on another server behind this URL); deactivate them if nobody needs them",
            tenants_from(*tenants, first)
        ),
        Warning::VectorUnprintable { collection } => {
            format!("{collection}: an object is saved without its vectors, since the server cannot print them")
        }
        Warning::VectorsDropped { collection, vectors } => format!(
            "{collection}: the server is dropping vector {}, which is left out of the archive",
            plain(&vectors.join(", "))
        ),
        Warning::ObjectBeyondLimit { collection, bytes } => {
            format!("{collection}: an object of {} is larger than --memory-limit; it is fetched alone", size(*bytes))
        }
        Warning::ReplicasDiffer { collection, counted, on_any_replica } => format!(
            "{collection}: replicas differ: {} counted, {} on at least one replica",
            count(*counted),
            count(*on_any_replica)
        ),
        Warning::ReplicaOlder { collection, objects } => format!(
            "{collection}: {} older on the replica that was read; the server repaired it first",
            self::counted(*objects, "object")
        ),
        Warning::ReplicasDisagree { collection, objects } => {
            format!("{collection}: the replicas of {} hold different versions", self::counted(*objects, "object"))
        }
        Warning::ReplicasUncompared { collection, reason } => {
            format!(
                "{collection}: read from one replica, which could not be compared with the others: {}",
                plain(reason)
            )
        }
        Warning::CountMismatch { collection, listed, counted } => format!(
            "{collection}: the server lists {} but counts {}, and nobody seems to write",
            self::counted(*listed, "object"),
            count(*counted)
        ),
        Warning::NothingSelected { collection, objects } => {
            format!("{collection}: none of its {} is what was selected", self::counted(*objects, "object"))
        }
        Warning::ObjectsVanished { collection, objects } => format!(
            "{collection}: at least {} deleted by somebody before they were read, and not in the archive",
            self::counted(*objects, "object")
        ),
        Warning::WrittenMismatch { collection, written, counted } => format!(
            "{collection}: {} written, but the server counts {}",
            self::counted(*written, "object"),
            count(*counted)
        ),
        Warning::RefusedYetStored { collection, reason } => {
            format!("{collection}: the server refused objects that it has stored all the same: {}", plain(reason))
        }
        Warning::ObjectsExpired { collection, objects: 0 } => {
            format!("{collection}: objects expired while they were restored: the server removes them, or has")
        }
        Warning::ObjectsExpired { collection, objects } => format!(
            "{collection}: {} had expired before they were restored: the server removes them, or has",
            self::counted(*objects, "object")
        ),
        Warning::SchemaGrew { collection, changes, more } => {
            format!("{collection}: {}", plain(&super::remark::schema_grew(changes, *more)))
        }
        Warning::MissingUnasked { collection, objects } => format!(
            "{collection}: {} more missing; they were not asked for one by one",
            self::counted(*objects, "object")
        ),
        Warning::WritesRefused { collection, reason } => {
            format!("{collection}: the server takes no writes at the moment: {}; trying again", plain(reason))
        }
        Warning::SentAgain { collection, objects, reason } => format!(
            "{collection}: {} of the unfinished run are not trusted, and all of it is sent again: {}",
            self::counted(*objects, "object"),
            plain(reason)
        ),
        Warning::MembersNotSent { collection, objects, first } => format!(
            "{collection}: {} with members that no known server has, such as {}; these are not sent",
            self::counted(*objects, "object"),
            plain(first)
        ),
        Warning::NameTaken { typed, collection, is_alias: true } => {
            plain(&format!("{typed} is an alias, and is taken for its collection {collection}"))
        }
        Warning::NameTaken { typed, collection, is_alias: false } => {
            plain(&format!("there is no {typed}: {collection} is taken for it"))
        }
        Warning::RoleAllows { role, permissions } => {
            format!("the role {} would allow {}", plain(role), plain(&permissions.join("; ")))
        }
        Warning::ScratchStays { collection, reason } => format!(
            "the scratch collection {collection} could not be removed ({}): the next run on this server removes it",
            plain(reason)
        ),
        Warning::NotRehearsed { lacks } => format!(
            "not rehearsed, since the key lacks {} for other names: that the server takes it is not proven",
            plain(lacks)
        ),
        Warning::CreatedStays { collection, reason } => {
            format!("{collection} was created by this run and is not removed again: {}", plain(reason))
        }
        Warning::ScratchInUse { collection, objects } => format!(
            "{} were written to the scratch collection {collection} of an earlier run, which is not removed: move them, \
             then remove it with `elysiactl col rm {collection}`",
            self::counted(*objects, "object"),
        ),
        Warning::ScratchRemoved { collection } => {
            format!("{collection}: the scratch collection of a run that was killed was removed")
        }
        Warning::AliasesUnfit { aliases, first } => format!(
            "{aliases} of the aliases {} that no server takes ({first:?} first): a restore is refused, unless \
             `--alias skip` leaves all aliases out",
            if *aliases == 1 { "has a name" } else { "have names" }
        ),
        Warning::StrayFile { path } => format!("{} is no part of the archive; it does no harm", shell_text(path)),
    }
}

/// Digits of a rate, or a dash while it is unknown.
pub(super) fn rate(per_second: Option<u64>, of: &str) -> String {
    let mut text = per_second.map_or_else(|| "–".into(), short);
    // A String takes every write.
    let _ = write!(text, "{of}/s");
    text
}

/// What a schema says, in few words.
pub(super) fn saved_schema(schema: &SavedSchema) -> String {
    let vectors = match schema.vectors.as_slice() {
        [] => "no vectors".to_owned(),
        [one] => format!("vector {one}"),
        many => format!("vectors {}", many.join(", ")),
    };
    let tenants = if schema.multi_tenant { ", multi-tenant (its tenants are not saved)" } else { "" };
    let properties = match schema.properties {
        1 => "1 property".to_owned(),
        many => format!("{} properties", count(many)),
    };
    plain(&format!("{properties}, {vectors}{tenants}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_at_every_size() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([999, 1_000, 999_949, 999_950].map(short), ["999", "1.0k", "999.9k", "1.0M"]);
        assert_eq!([1_023, 1_024, u64::MAX].map(size), ["1023 B", "1.0 KiB", "16.0 EiB"]);
        assert_eq!(
            [0, 59, 60, 3_599, 3_720].map(|s| span(Duration::from_secs(s))),
            ["0s", "59s", "1m00s", "59m59s", "1h02m"]
        );
        assert_eq!(counted(1, "object") + &counted(2_000, "object"), "1 object2,000 objects");
    }

    #[test]
    fn a_value_cannot_drive_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{202e}c"), r"a\u{1b}[2Jb\n\u{202e}c");
        assert_eq!(plain(&"x".repeat(501)).chars().count(), 501);
        assert_eq!(plain(&"x".repeat(500)), "x".repeat(500));
    }

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("./backups/a_1"), "./backups/a_1");
        assert_eq!(quoted("my backups/it's"), r"'my backups/it'\''s'");
    }
}
