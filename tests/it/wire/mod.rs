//! Servers, networks and what lies between that fail, lie, wait or change.

/// Three nodes, one of them away.
mod cluster;
/// Servers and disks that fail, lie or change while they are read.
mod faults;
/// What is said in the end when a server keeps failing.
mod final_errors;
/// Every way an HTTP request can go wrong, alone, at each verb: one table, and what becomes of each.
mod http_faults;
/// What a server goes on refusing: told at once, with what to change.
mod lasting;
/// Mixes of faults from seeds, through every verb: whole, or honest, and whole once the faults are gone.
mod seeds;
/// Servers that say when to ask again, and clocks that are wrong.
mod told_to_wait;
/// A proxy that turns requests away, or fails each path once: nothing changes but the time.
mod turned_away;
