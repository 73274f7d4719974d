//! What stands against an operation, in words.

use super::*;
use crate::model::KeyChange;
use crate::ops::RunChoice;

#[test]
fn why_it_is_not_what_a_run_left_is_told() {
    let name = || "t".parse().expect("a name");
    let differences = || {
        vec![
            KeyChange::Other { key: "a".into(), was: "2".into(), now: "1".into() },
            KeyChange::Added { key: "b".into() },
        ]
    };
    for (altered, told) in [
        (Altered::Gone, "it is gone"),
        (Altered::AnotherOne { differences: differences() }, "it is another one: a is 1, not 2; b was added"),
        (Altered::Changed { differences: differences() }, "a is 1, not 2; b was added"),
        (Altered::HasTenants { first: name() }, "it has tenants, which no run made (t first)"),
        (Altered::HoldsObjects { objects: 3 }, "it holds objects, which no run wrote: 3"),
        (Altered::MayHoldObjects { reason: "no".into() }, "whether it is empty cannot be asked: no"),
        (Altered::OtherShards, "it was removed and made again by somebody else (its shards are others)"),
        (Altered::OtherObjects, "its objects were not created while that run wrote, but by somebody else"),
        (
            Altered::OtherTenant { tenant: name() },
            "the objects of its tenant t were not created while that run wrote, but by somebody else",
        ),
    ] {
        assert_eq!(altered.to_string(), told);
    }
}

#[test]
fn why_what_was_written_down_is_not_trusted_is_told() {
    for (distrust, told) in [
        (Distrust::Gone, "it is gone from the server, and is recreated"),
        (Distrust::TenantGone { tenant: "t".parse().expect("a name") }, "its tenant t is gone"),
        (Distrust::RefusedLost { refused: 2, kept: 1 }, "2 refused objects were written down, and 1 of them are kept"),
        (Distrust::OtherIds, "its journal tells of ids that the archive does not hold so"),
        (Distrust::Contradiction, "its journal contradicts itself about the number of objects"),
        (Distrust::Fewer { written: 2, counted: 1 }, "2 objects written down as there, and the server counts 1"),
    ] {
        assert_eq!(distrust.to_string(), told);
    }
}

#[test]
fn in_what_another_run_differs_is_told() {
    let archive = || "/b/A".to_owned();
    for (differs, told) in [
        (RunDiffers::Server { url: "http://b/".into() }, "its server is http://b/"),
        (RunDiffers::Archive { archive: archive() }, "its archive is another one, /b/A"),
        (RunDiffers::ArchiveReplaced { archive: archive() }, "another archive lies in /b/A now"),
        (RunDiffers::ArchivePlace { archive: archive() }, "its archive lay in /b/A"),
        (RunDiffers::Version { version: "9.0.0".into() }, "elysiactl 9.0.0 began it"),
        (RunDiffers::Choice(RunChoice::Data), "not the same: whether objects are restored (--skip-data)"),
        (RunDiffers::Emptied { collections: vec!["A".parse().expect("a name")] }, "it was to empty A"),
        (RunDiffers::AllTenants, "of all tenants"),
        (RunDiffers::Tenants { tenants: vec!["t".parse().expect("a name")] }, "of the tenants t"),
    ] {
        assert_eq!(differs.to_string(), told);
    }
    for (choice, flag) in [
        (RunChoice::Collections, "(--only, --name, --rename)"),
        (RunChoice::Renames, "(--rename)"),
        (RunChoice::Tenants, "(--tenant, --into-tenant, --into-plain)"),
        (RunChoice::Data, "(--skip-data)"),
        (RunChoice::Vectors, "(--skip-vectors)"),
        (RunChoice::Revectorize, "(--revectorize)"),
        (RunChoice::ClampInts, "(--clamp-ints)"),
        (RunChoice::Aliases, "(--alias)"),
        (RunChoice::Roles, "(--with-roles)"),
        (RunChoice::Settings, "(--set)"),
    ] {
        assert!(choice.to_string().ends_with(flag), "{choice}");
    }
    for (differs, told) in [
        (BackupDiffers::Server, "the server"),
        (BackupDiffers::ServerVersion, "the server's version"),
        (BackupDiffers::Collections, "the choice of collections"),
        (BackupDiffers::Excluded, "what is left out"),
        (BackupDiffers::Tenants, "the choice of tenants"),
        (BackupDiffers::Content, "what is kept"),
        (BackupDiffers::Compression, "the compression"),
        (BackupDiffers::Run, "the run"),
    ] {
        assert_eq!(differs.to_string(), told);
    }
}
