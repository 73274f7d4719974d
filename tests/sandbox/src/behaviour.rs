//! What differs between server versions, asked by name.

/// A server version the sandbox can play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 1.24.26
    V1_24,
    /// 1.28.16
    V1_28,
    /// 1.32.27
    V1_32,
    /// 1.39.0
    V1_39,
    /// 1.40.0-dev
    V1_40,
}

impl Release {
    /// Every version there is.
    pub const ALL: [Self; 5] = [Self::V1_24, Self::V1_28, Self::V1_32, Self::V1_39, Self::V1_40];

    /// The release a text such as `1.32` or `1.32.5` names; the newest one for anything unknown.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let minor = text.split('.').nth(1).and_then(|m| m.parse::<u32>().ok()).unwrap_or(u32::MAX);
        match minor {
            0..28 => Self::V1_24,
            28..32 => Self::V1_28,
            32..39 => Self::V1_32,
            39 => Self::V1_39,
            _ => Self::V1_40,
        }
    }

    /// Major and minor number.
    #[must_use]
    pub fn number(self) -> (u32, u32) {
        match self {
            Self::V1_24 => (1, 24),
            Self::V1_28 => (1, 28),
            Self::V1_32 => (1, 32),
            Self::V1_39 => (1, 39),
            Self::V1_40 => (1, 40),
        }
    }

    /// The version as `/v1/meta` spells it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::V1_24 => "1.24.26",
            Self::V1_28 => "1.28.16",
            Self::V1_32 => "1.32.27",
            Self::V1_39 => "1.39.0",
            Self::V1_40 => "1.40.0-dev",
        }
    }
}

/// What becomes of a batch of references, one of which has a beacon that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadBeacon {
    /// There is no result for it; the others are added.
    LeftOut,
    /// Nothing is added, and the answer is empty.
    EmptyReply,
    /// It fails, and the others are added.
    Fails,
}

/// The questions the routes ask about a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) release: Release,
}

impl Behaviour {
    fn since(self, release: Release) -> bool {
        self.release >= release
    }

    pub(crate) fn schema_is_case_tolerant(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn schema_errors_say_allowed(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn refuses_vector_without_index(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn refuses_unknown_named_vector(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn empty_vector_is_none(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn multi_vectors(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn mixed_vectors(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn item_without_class_empties_reply(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn level_all_works_alone(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn failed_references_echo(self) -> bool {
        self.since(Release::V1_39)
    }
    /// What one reference with a beacon that cannot be read does to the answer for all of a batch.
    pub(crate) fn bad_beacon(self) -> BadBeacon {
        match self.release {
            Release::V1_24 => BadBeacon::LeftOut,
            Release::V1_28 | Release::V1_32 => BadBeacon::EmptyReply,
            Release::V1_39 | Release::V1_40 => BadBeacon::Fails,
        }
    }
    pub(crate) fn put_missing_is_404(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn bad_delete_status(self) -> u16 {
        if matches!(self.release, Release::V1_28 | Release::V1_32) { 500 } else { 422 }
    }
    pub(crate) fn bad_delete_output_status(self) -> u16 {
        if self.release == Release::V1_24 { 422 } else { 500 }
    }
    pub(crate) fn delete_says_time(self) -> bool {
        self.since(Release::V1_28)
    }
    /// Whether a tenant that is created again holds what the removed one of its name held. Seen on 1.24, not on 1.32 and
    /// 1.40; 1.28 was not looked at.
    pub(crate) fn removed_tenants_come_back(self) -> bool {
        !self.since(Release::V1_32)
    }
    /// Whether states of tenants that are refused because one of them is gone are taken all the same, without a shard being
    /// opened for those that are to be `HOT`.
    pub(crate) fn half_updates_tenants(self) -> bool {
        self.release == Release::V1_28
    }
    /// Whether the list of roles is 200 with an empty body where roles are off, as the handler panics.
    pub(crate) fn roles_panic(self) -> bool {
        self.release == Release::V1_28
    }
    pub(crate) fn new_tenant_words(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn tenant_by_name(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn automatic_tenants(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn refuses_tenant_twice(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn accepts_unknown_shard(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn shards_per_node(self) -> bool {
        self.since(Release::V1_40)
    }
    pub(crate) fn aliases(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn authz(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn cluster_statistics(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn blob_hash(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn limit_error_names_values(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn readonly_text(self) -> &'static str {
        if self.since(Release::V1_28) {
            "store is read-only due to: manually set by user"
        } else {
            "store is read-only"
        }
    }
    /// A list on a cluster leaves out what it cannot reach instead of failing.
    pub(crate) fn omits_lost_shards(self) -> bool {
        self.since(Release::V1_39)
    }
    /// A read-only shard on another node answers SUCCESS and stores nothing.
    pub(crate) fn remote_readonly_lies(self) -> bool {
        (Release::V1_28..=Release::V1_39).contains(&self.release)
    }
    /// A node that left the member list is not counted by level ALL.
    pub(crate) fn level_all_ignores_absent(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn time_based_resolution(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn range_filters(self) -> bool {
        self.since(Release::V1_28)
    }
    pub(crate) fn grpc_size(self) -> bool {
        self.since(Release::V1_28)
    }
    /// From 1.34.5 on (`entities/models/node_status.go`).
    pub(crate) fn operational_mode(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn replica_movement(self) -> bool {
        self.since(Release::V1_32)
    }
    pub(crate) fn replica_numbers(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn auto_class_names_its_vector(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn forces_async_replication(self) -> bool {
        self.since(Release::V1_39)
    }
    pub(crate) fn vector_length_text_is_long(self) -> bool {
        self.since(Release::V1_28)
    }
}
