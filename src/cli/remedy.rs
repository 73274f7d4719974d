//! What the operator of a server can change about a refusal that lasts, in words.

use crate::weaviate::{LastingCause, LimitOf};

/// What alone helps, in one sentence.
pub(super) fn words(cause: &LastingCause) -> String {
    let setting = cause.setting().unwrap_or_default();
    let at_runtime = if cause.is_set_at_runtime() {
        format!(" (or {} in its runtime overrides, without a restart)", setting.to_lowercase())
    } else {
        String::new()
    };
    match cause {
        LastingCause::Mode(_) => {
            format!("set {setting}=ReadWrite on every node of the server{at_runtime}, then run the command again")
        }
        LastingCause::UsageLimit { of: LimitOf::Other(_), .. } => {
            "ask the server's operator to raise this limit, or remove what is not needed".to_owned()
        }
        LastingCause::UsageLimit { .. } => {
            format!("raise {setting} on the server{at_runtime}, or remove what is not needed, then run the command again")
        }
        LastingCause::NotAllowed { value, .. } if setting.is_empty() => {
            format!("ask the server's operator to allow {value}, or change the schema")
        }
        LastingCause::NotAllowed { value, .. } => {
            format!("add {value} to {setting} on the server{at_runtime}, or change the schema to what is allowed")
        }
        LastingCause::ReplicationFactor { .. } => {
            format!("change {setting} on the server, or replicationConfig.factor in the schema")
        }
        LastingCause::SwitchedOff { .. } => format!("set {setting} on every node of the server and restart it"),
        LastingCause::Suspended => {
            "ask the server's administrator to resume the namespace (POST /v1/namespaces/NAME/resume), or leave its collections out".to_owned()
        }
        LastingCause::ReservedName => {
            "rename it in the schema: the server's own words below name it".to_owned()
        }
        LastingCause::NeedsNamespace => "use the key of a user in the namespace".to_owned(),
        LastingCause::OneShard => "set shardingConfig.desiredCount to 1 in the schema".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weaviate::OperationalMode;

    #[test]
    fn the_setting_to_change_is_named() {
        let limit = |of| LastingCause::UsageLimit { of, value: Some(3) };
        let restriction = |restriction: &str| LastingCause::NotAllowed {
            restriction: restriction.into(),
            value: "flat".into(),
            allowed: vec!["hnsw".into()],
        };
        for (cause, named) in [
            (LastingCause::Mode(OperationalMode::ReadOnly), "operational_mode in its runtime overrides"),
            (limit(LimitOf::Objects), "raise MAXIMUM_ALLOWED_OBJECTS_COUNT"),
            (limit(LimitOf::Tenants), "raise MAXIMUM_ALLOWED_TENANTS_PER_COLLECTION"),
            (limit(LimitOf::Shards), "raise MAXIMUM_ALLOWED_SHARDS_PER_COLLECTION"),
            (limit(LimitOf::Other("x".into())), "raise this limit"),
            (restriction("vector_index_type"), "add flat to ALLOWED_VECTOR_INDEX_TYPES"),
            (restriction("compression"), "add flat to ALLOWED_COMPRESSION_TYPES"),
            (restriction("other"), "allow flat"),
            (LastingCause::ReplicationFactor { most: Some(1), least: None }, "REPLICATION_MAXIMUM_FACTOR"),
            (LastingCause::ReplicationFactor { most: None, least: Some(2) }, "REPLICATION_MINIMUM_FACTOR"),
            (LastingCause::SwitchedOff { setting: "ASYNC_INDEXING" }, "set ASYNC_INDEXING"),
            (LastingCause::Suspended, "resume the namespace"),
            (LastingCause::ReservedName, "rename it"),
            (LastingCause::NeedsNamespace, "key of a user in the namespace"),
            (LastingCause::OneShard, "shardingConfig.desiredCount"),
        ] {
            assert!(words(&cause).contains(named), "{cause:?}: {}", words(&cause));
        }
    }
}
