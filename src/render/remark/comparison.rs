//! Comparisons in words.

use super::super::words::{count, tenants_from};
use super::skipped::not_activated;
use super::{objects, one_or};
use crate::event::{ComparisonRemark as Fact, Op, OutOfReach, Sides};

pub(super) fn comparison(op: Op, fact: &Fact) -> String {
    let Sides { left, right, .. } = op.facts().sides;
    match fact {
        Fact::ComparedWithoutVectors { archived: true } => "compared without vectors".to_owned(),
        Fact::ComparedWithoutVectors { archived: false } => {
            "compared without vectors, which the archive does not hold".to_owned()
        }
        Fact::Sampled { compared, of } => format!("a sample: {} of {} compared", count(*compared), objects(*of)),
        Fact::Selection { selection, others } => {
            let are = one_or(*others, "is", "are");
            format!(
                "{left} is a selection ({selection}): {} of {right} {are} not of it, and not compared",
                objects(*others)
            )
        }
        Fact::Filtered { filter, others } => {
            let are = one_or(*others, "is", "are");
            format!("compared where {filter}, on either side: {} of {right} {are} not", objects(*others))
        }
        Fact::VectorsUnprintable { objects: n } => {
            format!("{} compared without vectors, which the server could not print for the archive", objects(*n))
        }
        Fact::MadeVectorsUncompared { objects: n } => {
            format!("{} got vectors from the server, which were not compared", objects(*n))
        }
        Fact::BlobHashesUncompared { properties } => format!(
            "not compared, since no server takes back their values: blobHash properties {}",
            properties.join(", ")
        ),
        Fact::WrittenMeanwhile { objects: n } => {
            format!("at least {} written while the collection was compared", objects(*n))
        }
        Fact::MissingUnasked { objects: n } => {
            let was = one_or(*n, "was", "were");
            format!("{} of the missing objects {was} not asked for one by one", count(*n))
        }
        Fact::CountUnexplained { listed, counted } => {
            format!("{} listed, but the server counts {}, and no writer explains it", objects(*listed), count(*counted))
        }
        Fact::CountMoved { listed, before, after } => format!(
            "{} listed, but the server's count went from {} to {} meanwhile",
            objects(*listed),
            count(*before),
            count(*after)
        ),
        Fact::CountUnseen { listed, counted } => format!(
            "{} listed, but the server counts {}, and objects are being written",
            objects(*listed),
            count(*counted)
        ),
        Fact::CountsUnverified { reason } => format!("counts not verified: {reason}"),
        Fact::OlderOnReplica { objects: n } => {
            format!("{} older on the replica that was listed; the server repaired it first", objects(*n))
        }
        Fact::ReplicasDiffer { objects: n } => {
            format!("the replicas of {} hold different versions; one was listed", objects(*n))
        }
        Fact::ReplicasUncompared { reason } => {
            format!("listed from one replica, which could not be compared with the others: {reason}")
        }
        Fact::TenantsUncompared { tenants, first, objects: n, why } => {
            format!("not compared: {}, {} in {left}: {}", tenants_from(*tenants, first), objects(*n), out_of_reach(why))
        }
        Fact::TenantsInOtherStates { tenants, first } => {
            format!("{} in another state than in {left}", tenants_from(*tenants, first))
        }
        Fact::TenantsMissing { tenants, first } => {
            format!("{right} lacks {} of {left}", tenants_from(*tenants, first))
        }
        Fact::TenantsCame { tenants, first } => {
            format!("{} created while the collection was compared", tenants_from(*tenants, first))
        }
        Fact::TenantsWent { tenants, first } => {
            format!("{} removed while the collection was compared", tenants_from(*tenants, first))
        }
        Fact::TenantsNotArchived { tenants, first } => {
            format!("not compared, as the archive does not hold them: {}", tenants_from(*tenants, first))
        }
        Fact::TenantsUnknown { tenants, first, objects: held } => {
            let holding = held.map_or_else(String::new, |held| format!(", {}", objects(held)));
            format!("{right} has {} that {left} does not hold{holding}", tenants_from(*tenants, first))
        }
        Fact::OfAnotherKind => "not compared: one of the two has tenants and the other has none (--into-tenant and \
                                --into-plain compare such)"
            .to_owned(),
        Fact::SchemaCompared => "no objects were compared: the archive holds the schema alone".to_owned(),
        Fact::MayHaveExpired => {
            "objects of this collection expire (objectTtlConfig), which may be why some are gone".to_owned()
        }
    }
}

fn out_of_reach(why: &OutOfReach) -> String {
    let words = match why {
        OutOfReach::NotActivated { why } => return not_activated(why),
        OutOfReach::NotActive => "the server says that it is not active",
        OutOfReach::Offloaded => "offloaded to other storage, or on the way",
        OutOfReach::Unseen => {
            "not listed, and may be there: the key's roles show it only some of the tenants (read_tenants)"
        }
    };
    words.to_owned()
}
