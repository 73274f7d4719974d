//! `col verify`.

/// `col verify`: what differs is named, and nothing else.
mod compared;
/// Differences, and what they are called.
mod found;
/// `col verify` where tenants sleep: whoever is activated sleeps again.
mod inactive;
/// What was selected, and what is asked for alone.
mod selected;
/// `col verify` of multi-tenant collections: each tenant is compared with its own, and nobody stays active.
mod tenants;
