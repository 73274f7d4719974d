//! Restores in words.

use std::path::Path;

use super::super::words::{count, counted, shell_path, tenants_are, tenants_were};
use super::{objects, one_or};
use crate::event::{RestoreRemark as Fact, Untrained};
use crate::model::TenantName;

#[expect(clippy::too_many_lines, reason = "one table")]
pub(super) fn restore(fact: &Fact) -> String {
    match fact {
        Fact::BecomesTenant { tenant } => format!("it becomes the tenant {tenant} of a multi-tenant collection"),
        Fact::BecomesPlain { tenant } => format!("its tenant {tenant} becomes a plain collection"),
        Fact::TenantsToAdd => "its tenants are added to the collection that is there".to_owned(),
        Fact::TenantsAdded => "tenants were added to the collection that was there".to_owned(),
        Fact::PropertiesToAdd { properties } => {
            format!("properties are added to the collection that is there: {}", properties.join(", "))
        }
        Fact::PropertiesAdded { properties } => {
            format!("properties were added to the collection that was there: {}", properties.join(", "))
        }
        Fact::NewerByTimes => {
            "which of two objects is newer is told by the times of their last updates: a restore, and \
                               any copy, sets these anew"
                .to_owned()
        }
        Fact::ReplacedToKeep { objects: n, folder } => format!(
            "{} sealed first in an archive of {} own, below {}",
            one_or(*n, "the object that is replaced is", &format!("the {} that are replaced are", objects(*n))),
            one_or(*n, "its", "their"),
            shell_path(Path::new(folder))
        ),
        Fact::ReplacedKept { objects: n, archive } => format!(
            "{} replaced; what was there is kept in {}: restore that with --merge --on-conflict overwrite to put it back",
            one_or(*n, "1 object was", &format!("{} were", objects(*n))),
            shell_path(Path::new(archive))
        ),
        Fact::ReplacedBefore { archives } => format!(
            "what earlier attempts of this run replaced is kept in {}",
            archives.iter().map(|archive| shell_path(Path::new(archive))).collect::<Vec<_>>().join(", ")
        ),
        Fact::ConflictsKept { objects: n } => {
            format!(
                "{} with another content, and {}",
                one_or(*n, "1 object was there", &format!("{} were there", objects(*n))),
                one_or(*n, "stays", "stay")
            )
        }
        Fact::MovedMeanwhile { objects: n } => format!(
            "{} not written, as somebody wrote there since the plan: run it again",
            one_or(*n, "1 object was", &format!("{} were", objects(*n)))
        ),
        Fact::WriteWindow { ms } => format!(
            "from the last look at an object to the answer to its request it took {} ms at most: what somebody wrote to it in \
             that time is overwritten, as servers have no conditional write",
            count(*ms)
        ),
        Fact::ChangedSince { objects: n } => format!(
            "{} not what was written any more: somebody wrote there since",
            one_or(*n, "1 object is", &format!("{} are", objects(*n)))
        ),
        Fact::TenantsRestated { tenants, first, state } => format!(
            "{} inactive in the end, as no tenant is created in the state in the archive ({first} first, {state:?})",
            tenants_are(*tenants)
        ),
        Fact::TenantsLeftOut { tenants, first } => {
            let are = one_or(*tenants, "is", "are");
            format!("{} not in the archive and {are} not created ({first} first)", tenants_are(*tenants))
        }
        Fact::TenantsOtherwise { tenants, first } => {
            format!("{} not in the state of the archive ({first} first)", tenants_are(*tenants))
        }
        Fact::TenantsRemoved { tenants, first } => {
            format!("{} removed meanwhile ({first} first)", tenants_were(*tenants))
        }
        Fact::NameUnfit { name } => format!("the archive calls it {name}, a name that no server keeps"),
        Fact::BlobHashesLeftOut { properties } => {
            format!("the blobHash values of {} cannot be written back and are left out", properties.join(", "))
        }
        Fact::IntegersClamped => {
            "integers beyond ±9223372036854774784 become the nearest ones that the server takes".to_owned()
        }
        Fact::VectorsLeftOut { made: true } => "vectors are left out, and the server makes new ones".to_owned(),
        Fact::VectorsLeftOut { made: false } => "vectors are left out".to_owned(),
        Fact::VectorsNotArchived { made: true } => "the archive holds no vectors: the server makes new ones".to_owned(),
        Fact::VectorsNotArchived { made: false } => {
            "the archive holds no vectors: its objects come back without any".to_owned()
        }
        Fact::VectorsMade { objects: n } => {
            format!("{} {} vectors made by the server", objects(*n), one_or(*n, "gets", "get"))
        }
        Fact::VectorsByReference => "ref2vec-centroid: the server itself makes new vectors from those of the objects \
                                     referred to; where these are gone, vectors are lost"
            .to_owned(),
        Fact::ReferredGone { objects: 1, collection, first } => format!(
            "the object {collection}/{first}, which it refers to, is not in the archive: vectors made of it are lost"
        ),
        Fact::ReferredGone { objects: n, collection, first } => format!(
            "{} that it refers to are not in the archive ({collection}/{first} first): vectors made of them are lost",
            objects(*n)
        ),
        Fact::VectorLengths { vector, lengths, more_lengths, tenant, more, odd } => {
            let lengths = self::lengths(lengths, *more_lengths);
            let others = others_in(tenant.as_ref(), *more);
            format!(
                "vectors differ in length ({vector}: {lengths}{others}): a vector index takes one length, so the usual one \
                 goes first; {} others will be missing in the index, and may be rejected",
                count(*odd)
            )
        }
        Fact::Selected { selection, objects: n, of } => {
            format!("{} of {} are restored: {selection}", count(*n), objects(*of))
        }
        Fact::SelectionArchived { selection, objects: n, of } => {
            format!("the archive is a selection, of {} of {}: {selection}", count(*n), objects(*of))
        }
        Fact::SchemaArchived => "the archive holds its schema alone".to_owned(),
        Fact::LeadsOn { key, to } => format!("its settings say where a module sends what it is given: {key} {to}"),
        Fact::SettingsNotApplied { settings, file } => {
            let file = file.then(|| "--schema-file".to_owned());
            let flags = settings.iter().map(|setting| format!("--set {setting}")).chain(file).collect::<Vec<_>>();
            format!("what is there keeps its settings: {} is not applied", flags.join(" "))
        }
        Fact::VectorizersLeftOut { modules } => format!("without its vectorizer ({})", modules.join(", ")),
        Fact::ExpiryLeftOut => "objects do not expire: objectTtlConfig is left out".to_owned(),
        Fact::AgeCountsAnew => "objects expire, and their age counts from this restore".to_owned(),
        Fact::ExpiresBy { property } => format!("objects expire by their property {property}, which keeps its value"),
        Fact::ExpiredAlready { objects: n } => format!(
            "{} {} expired already: the server removes them soon after they are written, unless --set objectTtl=off",
            objects(*n),
            one_or(*n, "has", "have")
        ),
        Fact::ExpiredMeanwhile => {
            "objects of it expired while it was restored: the server removes them, or has, unless \
                                   --set objectTtl=off"
                .to_owned()
        }
        Fact::ToTrain { kinds } => format!("compression has to be trained again: {}", kinds.join(", ")),
        Fact::Trained { kinds, unseen } => format!("compressed: {} is trained{}", kinds.join(", "), unseen_in(*unseen)),
        Fact::Untrained { kinds, shards, of, why, unseen } => format!(
            "not compressed in {} of {} shards: {} is on; {}{}",
            count(*shards),
            count(*of),
            kinds.join(", "),
            untrained(why),
            unseen_in(*unseen)
        ),
        Fact::TrainingForbidden { kinds } => format!(
            "not compressed: {} is on, and the key may not start its training (update_collections)",
            kinds.join(", ")
        ),
        Fact::TrainingUnknown { kinds, error } => {
            format!("whether it is compressed is not known, {} is on: {error}", kinds.join(", "))
        }
        Fact::TrainingUnstarted { kinds, error } => format!(
            "whether it is compressed is not known, {} is on; its training was not started: {error}",
            kinds.join(", ")
        ),
        Fact::NoShardOpen { kinds } => {
            format!("whether it is compressed is not known, {} is on: none of its shards is open", kinds.join(", "))
        }
        Fact::NoRolesArchived => "the archive holds no roles".to_owned(),
        Fact::AliasesMayBeMissing => "aliases may be missing: the key of the backup could not see them all".to_owned(),
        Fact::RolesMayBeMissing => "roles may be missing: the key of the backup could not see them all".to_owned(),
        Fact::ReferencesAfter { references: 1 } => "1 reference was written after its object".to_owned(),
        Fact::ReferencesAfter { references } => {
            format!("{} were written after their objects", counted(*references, "reference"))
        }
        Fact::RejectedYetThere { objects: 1 } => {
            "1 rejected object is there all the same, but for what was refused of it".to_owned()
        }
        Fact::RejectedYetThere { objects: n } => {
            format!("{} rejected objects are there all the same, but for what was refused of them", count(*n))
        }
        Fact::LengthRefusedYetStored { objects: n } => format!(
            "{} refused for the length of a vector, yet stored and equal: the vector index lacks {}, so that searches by \
             vector do too; the source's index took one length as well, and maybe another",
            objects(*n),
            one_or(*n, "it", "them")
        ),
        Fact::RefusedYetStored { objects: n } => format!(
            "{} refused by the server, yet stored and equal: its indexes may lack {}, so that searches may too",
            objects(*n),
            one_or(*n, "it", "them")
        ),
        Fact::UnsaidYetStored { objects: n } => format!(
            "{} of which the server did not say whether it stored {}: read back, {} there and equal",
            objects(*n),
            one_or(*n, "it", "them"),
            one_or(*n, "it is", "each is")
        ),
        Fact::RestoredBefore => "it was restored by an earlier run: nothing was sent, and nothing compared".to_owned(),
        Fact::WrittenOtherwise { written, counted } => {
            format!("{} were written, but the server counts {}", objects(*written), count(*counted))
        }
        Fact::Unproven { reason } => format!("what was written was neither counted nor compared: {reason}"),
        Fact::SchemaGrew { changes, more } => super::schema_grew(changes, *more),
    }
}

/// Lengths of a vector with their objects, and how many are not listed.
fn lengths(lengths: &[(u64, u64)], more: u64) -> String {
    let named = lengths.iter().map(|(length, n)| format!("{length} in {}", objects(*n)));
    named.chain((more > 0).then(|| format!("{more} more"))).collect::<Vec<_>>().join(", ")
}

/// Where they were found first, and how many more such places there are.
fn others_in(tenant: Option<&TenantName>, more: u64) -> String {
    let tenant = tenant.map_or_else(String::new, |tenant| format!(" of tenant {tenant}"));
    if more > 0 { format!("{tenant}, and {more} more such") } else { tenant }
}

fn unseen_in(tenants: u64) -> String {
    if tenants == 0 { String::new() } else { format!("; of {} it is not known", counted(tenants, "inactive tenant")) }
}

fn untrained(why: &Untrained) -> String {
    match why {
        Untrained::TooFewObjects { needed, largest } => {
            format!("training needs {} objects in a shard, and there are {} at most", count(*needed), count(*largest))
        }
        Untrained::NotOver { seconds } => format!("its training was asked for and is not over after {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_spoken_of_as_one() {
        let said = |fact| restore(&fact);
        assert!(said(Fact::LengthRefusedYetStored { objects: 1 }).contains("lacks it,"));
        assert!(said(Fact::RefusedYetStored { objects: 1 }).contains("may lack it,"));
        assert!(
            said(Fact::RefusedYetStored { objects: 2_000 }).starts_with("2,000 objects refused by the server, yet")
        );
        let one = "1 object of which the server did not say whether it stored it: read back, it is there and equal";
        assert_eq!(said(Fact::UnsaidYetStored { objects: 1 }), one);
        let two =
            "2 objects of which the server did not say whether it stored them: read back, each is there and equal";
        assert_eq!(said(Fact::UnsaidYetStored { objects: 2 }), two);
        assert_eq!(said(Fact::ReferencesAfter { references: 2 }), "2 references were written after their objects");
        assert_eq!(said(Fact::VectorsMade { objects: 1 }), "1 object gets vectors made by the server");
        let first: TenantName = "a".parse().expect("a name");
        let left = |tenants| said(Fact::TenantsLeftOut { tenants, first: first.clone() });
        assert_eq!(left(1), "1 tenant is not in the archive and is not created (a first)");
        assert_eq!(left(2), "2 tenants are not in the archive and are not created (a first)");
    }

    #[test]
    fn objects_referred_to_that_are_gone_are_named() {
        let gone = |objects| {
            restore(&Fact::ReferredGone { objects, collection: "Para".into(), first: crate::model::ObjectId(7) })
        };
        assert!(gone(1).starts_with("the object Para/00000000-0000-0000-0000-000000000007,"));
        assert!(gone(2).starts_with("2 objects that it refers to are not in the archive (Para/"));
    }
}
