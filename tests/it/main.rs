//! The integration tests, one module per verb and theme.

/// `col backup`: what comes in is what lies in the archive.
mod backup;
/// `col backup` while owners remove collections or tenants, or make them again.
mod backup_gone;
/// `col backup` of multi-tenant collections: every tenant, and afterwards each is as it was.
mod backup_tenants;
/// Bars on a terminal held in memory.
mod bars;
/// What stands beside the objects of a restore: aliases, roles, settings, and what is said of what cannot come back.
mod beside;
/// The binary with an empty environment.
mod binary;
/// Answers and files that would become many times their size in memory, or are nested without end.
#[cfg(target_os = "linux")]
mod bombs;
/// `archive check`: damage of every kind is found.
mod check;
/// Runs that reach one server by different URLs.
mod claims;
/// `col clear`: what was asked for is empty afterwards and still what it was.
mod clear;
/// `col clear` killed at any moment and run again.
#[cfg(unix)]
mod clear_kills;
/// `col clear` at a terminal and without one.
#[cfg(unix)]
mod clear_prompts;
/// `col clear --resume`: the last clear, if it was stopped, is carried on by its own journal.
#[cfg(unix)]
mod clear_resumed;
/// Three nodes, one of them away.
mod cluster;
/// Compressions that are trained: started after a restore, or said not to be.
mod compression;
/// `col create`: what is asked for is what the server has, and nothing that exists is touched.
mod create;
/// Empty lists of dates, on their way into a cluster.
mod date_lists;
/// The disk of the machine, with files that are worse.
mod disk_of;
/// Vectors that the server is dropping while a collection is read.
mod dropped_vectors;
/// Dry runs of every verb: they tell the whole plan, never look like runs, and send nothing that writes.
#[cfg(unix)]
mod dry_runs;
/// The binary from end to end: exit codes, `--json`, pipes, the environment, `--dry-run`.
mod e2e;
/// Journals of runs before this one: read once, and who was left awake is put back.
mod earlier_runs;
/// Where modules send what they are given, as an archive says.
mod endpoints;
/// What the server or the disk did, what is said, and with which exit code and advice.
mod error_scenes;
/// Every variant of every error is named by a test.
mod error_variants;
/// docs/events.md names every event, every warning and every field.
mod events_doc;
/// Collections whose objects expire: counted before they are written, named where they went.
mod expiry;
/// Exit codes and messages of the binary when something is wrong.
mod failures;
/// Servers and disks that fail, lie or change while they are read.
mod faults;
/// What a key with few rights is told of aliases and roles.
mod few_rights;
/// What is said in the end when a server keeps failing.
mod final_errors;
/// Archives changed by somebody who can compute checksums.
#[cfg(unix)]
mod forged;
/// Disks without room, real ones.
mod full_disk;
/// What is said of the archives that hold what is about to be removed.
mod held;
/// `--help` of every command, equal to docs/commands.
mod help;
/// Archives made to do harm, through the binary.
#[cfg(unix)]
mod hostile;
/// Every way an HTTP request can go wrong, alone, at each verb: one table, and what becomes of each.
mod http_faults;
/// Batches of `col restore` that are too slow, too large, or refused in words that may mean the server.
mod imports;
/// docs/inventory.md names every field of both.
mod inventory_doc;
/// Objects of many megabytes, within the memory allowed.
mod large_objects;
/// What a server goes on refusing: told at once, with what to change.
mod lasting;
/// Who may use whom, who may print, how long a file may be.
mod layering;
/// `-v`, `-vv` and `--log-file`: one line a request, and nothing that is secret.
mod logs;
/// `col ls` and `col show`: what is there, and how far its numbers can be trusted.
mod ls;
/// Keys that may do everything but wake tenants, and tenants that nobody can wake, at each verb.
mod may_not;
mod may_not_wake;
/// Modes of what a run writes.
#[cfg(unix)]
mod modes;
/// Vectors of several lengths in one collection: all come back, or are named.
mod odd_vectors;
/// Members that servers take for others than they are spelled as.
#[cfg(unix)]
mod other_spellings;
/// Batches of which a part fails: rejected by name, or stored on another try.
mod partial_batches;
/// Archives that are read wrongly, once or always.
mod read_faults;
/// References of `col restore`: to itself, in circles, to what is not there.
mod references;
/// The same on a server that fails, blames, or says nothing.
mod references_faults;
/// The same where objects have tenants, and targets are looked for.
mod references_tenants;
/// Rehearsals: what would not come back, or not be made, is found out first, and leaves nothing.
mod rehearsal;
/// `col rm`: what is named is gone, its schema is saved, and nothing else is touched.
mod remove;
/// `col rm` at a terminal: what is typed, and what follows.
#[cfg(unix)]
mod remove_prompts;
/// JSON, lines of text and summaries for made-up events.
mod render;
/// Archives that somebody changes while they are in use.
#[cfg(unix)]
mod replaced;
/// `col restore`: what lies in the archive is what the server holds afterwards.
mod restore;
/// `col restore` at a terminal: the list of archives, and what ends it.
#[cfg(unix)]
mod restore_prompts;
/// `col restore` of multi-tenant collections: every tenant comes back with its objects and in its state.
mod restore_tenants;
/// `col restore --resume`: whatever stopped a restore, carried on it ends as an unbroken one would.
mod resume;
/// `col backup --resume`: an interrupted backup ends as an unbroken one would.
#[cfg(unix)]
mod resume_backup;
/// One of each event and warning, for the tests above.
mod samples;
/// Keys, passwords and header values planted everywhere come out nowhere.
mod secrets;
/// Mixes of faults from seeds, through every verb: whole, or honest, and whole once the faults are gone.
mod seeds;
/// ^C and its kin, at every stage of a run.
#[cfg(unix)]
mod signals;
/// Servers and disks that are slow: nothing is given up, and nothing piles up.
mod slow;
/// What a server, an archive or a path holds cannot steer a terminal, and what is shown can be pasted.
#[cfg(unix)]
mod steering;
/// The binary at a pseudo-terminal.
#[cfg(unix)]
mod terminal;
/// How much of the long tests is run.
mod tier;
/// Servers that say when to ask again, and clocks that are wrong.
mod told_to_wait;
/// The guided tour of the README, with the built binary.
mod tour;
/// A proxy that turns requests away, or fails each path once: nothing changes but the time.
mod turned_away;
/// What a key may not see, and what `-q` still says.
mod unseen;
/// Paths that are none, a stdout that is full, files that others may read, slips of the hand.
#[cfg(unix)]
mod usage;
/// `col verify`: what differs is named, and nothing else.
mod verify;
mod verify_found;
/// `col verify` where tenants sleep: whoever is woken sleeps again.
mod verify_sleepers;
/// `col verify` of multi-tenant collections: each tenant is compared with its own, and nobody stays awake.
mod verify_tenants;
/// A sandbox, a folder for archives, and the operations on both.
mod world;

#[test]
fn every_file_here_is_in_the_index() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let index = std::fs::read_to_string(folder.join("main.rs")).expect("the index");
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let module = path.extension().is_some_and(|end| end == "rs") || path.join("mod.rs").exists();
        if module && name != "main" {
            assert!(
                index.contains(&format!("\nmod {name};")),
                "tests/it/{name} is in no `mod` line of tests/it/main.rs"
            );
        }
    }
}
