//! Creations in words.

use super::super::words::{count, counted, tenants_are};
use crate::event::CreationRemark as Fact;

pub(super) fn creation(fact: &Fact) -> String {
    match fact {
        Fact::PropertyRenamed { property, now } => {
            format!("property {property} is named {now}: on a server no property begins with a capital")
        }
        Fact::PropertyRetyped { property, was, now, tokenization } => {
            format!("property {property} is of type {now}, tokenization {tokenization}: servers keep {was} so")
        }
        Fact::IndexInvertedLeftOut { property } => {
            format!("indexInverted of property {property} is left out: newer settings stand beside it")
        }
        Fact::IndexInvertedSplit { property, filterable, searchable } => format!(
            "indexInverted of property {property} stands for indexFilterable {filterable} and indexSearchable {searchable}"
        ),
        Fact::TenantsToInactive { tenants } => {
            format!("{} created inactive (COLD), since no tenant is created offloaded", tenants_are(*tenants))
        }
        Fact::TenantsNotThere { tenants, of } => {
            format!("{} of {} are not there", count(*tenants), counted(*of, "tenant"))
        }
        Fact::TenantsNotAsAsked { tenants, of } => {
            format!("{} of {} are in another state than asked for", count(*tenants), counted(*of, "tenant"))
        }
    }
}
