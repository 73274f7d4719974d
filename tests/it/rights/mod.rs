//! Keys that may not do everything.

/// What a key with few rights is told of aliases and roles.
mod few_rights;
/// Keys that may do everything but activate tenants, and tenants that nobody can activate, at each verb.
mod may_not;
/// Where the key may not activate tenants, or nobody can.
mod may_not_activate;
