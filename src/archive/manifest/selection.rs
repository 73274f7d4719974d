//! What of a collection's objects was wanted. Since format 1.3.

use super::super::error::Damage;
use crate::model::{Filter, ObjectId, PlaceOfObject, SampleShare, Schema, Sieve, Subset};

/// The subset of a collection's objects that an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionEntry {
    /// Only objects that this filter is true of.
    pub filter: Option<String>,
    /// Only these properties of them; all if it is empty.
    pub fields: Vec<String>,
    /// Only so many of them, the first by tenant and id.
    pub limit: Option<u64>,
    /// Only a share of them.
    pub sample: Option<SampleEntry>,
    /// Objects that were read, those that are in here included.
    pub objects_read: u64,
    /// The last object that is in here, where the limit was reached: none behind it was wanted.
    pub until: Option<UntilEntry>,
}

/// A share of objects, by a hash of tenant and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleEntry {
    /// How large it is, such as `5%`.
    pub share: String,
    /// Which one of that size.
    pub seed: u64,
}

/// An object by its tenant and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntilEntry {
    /// Its tenant, in a multi-tenant collection.
    pub tenant: Option<String>,
    /// Its id.
    pub id: String,
}

impl SelectionEntry {
    /// What is kept by this subset of so many objects.
    #[must_use]
    pub fn of(subset: &Subset, objects_read: u64, until: Option<PlaceOfObject>) -> Self {
        let until = until.map(|(tenant, id)| UntilEntry { tenant: tenant.map(String::from), id: id.to_string() });
        Self {
            filter: subset.filter.as_ref().map(ToString::to_string),
            fields: subset.fields.clone(),
            limit: subset.limit,
            sample: subset.sample.map(|SampleShare { share, seed }| SampleEntry { share: share.to_string(), seed }),
            objects_read,
            until,
        }
    }

    /// The subset.
    pub fn subset(&self) -> Result<Subset, Damage> {
        let wrong = || Damage::Selection;
        let filter = self.filter.as_ref().map(|text| text.parse::<Filter>()).transpose().map_err(|_| wrong())?;
        let sample = self.sample.as_ref().map(|sample| {
            let share = sample.share.parse().map_err(|_| wrong())?;
            Ok(SampleShare { share, seed: sample.seed })
        });
        Ok(Subset { filter, fields: self.fields.clone(), sample: sample.transpose()?, limit: self.limit })
    }

    /// What decides whether an object of a collection with this schema is among them.
    pub fn sieve(&self, schema: &Schema) -> Result<Option<Sieve>, Damage> {
        let sieve = self.subset()?.bind(schema, &[]).map_err(|_| Damage::Selection)?;
        let until = self.until.as_ref().map(|until| {
            let id: ObjectId = until.id.parse().map_err(|_| Damage::Selection)?;
            let tenant = until.tenant.as_ref().map(|tenant| tenant.parse()).transpose();
            Ok((tenant.map_err(|_| Damage::Selection)?, id))
        });
        let until = until.transpose()?;
        Ok(sieve.map(|sieve| sieve.up_to(until)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_asked_for_and_nonsense_is_damage() {
        let schema = r#"{"class":"A","properties":[{"name":"a","dataType":["int"]}]}"#;
        let schema = Schema::parse(schema.into()).expect("a schema");
        let subset = Subset {
            filter: Some("a > 1".parse().expect("a filter")),
            fields: vec!["a".into()],
            sample: Some(SampleShare { share: "2.5%".parse().expect("a share"), seed: u64::MAX }),
            limit: Some(7),
        };
        let entry = SelectionEntry::of(&subset, 9, Some((None, ObjectId(1))));
        assert_eq!(entry.subset().expect("a subset"), subset);
        assert!(entry.sieve(&schema).expect("fits").is_some());
        let whole = SelectionEntry::of(&Subset::default(), 9, None);
        assert!(whole.sieve(&schema).expect("fits").is_none());
        let wrong = |change: fn(&mut SelectionEntry)| {
            let mut entry = entry.clone();
            change(&mut entry);
            entry.sieve(&schema).map(|sieve| sieve.is_some())
        };
        for change in [
            (|entry| entry.filter = Some("a >".into())) as fn(&mut SelectionEntry),
            |entry| entry.filter = Some("b > 1".into()),
            |entry| entry.fields = vec!["b".into()],
            |entry| entry.sample = Some(SampleEntry { share: "0%".into(), seed: 1 }),
            |entry| entry.until = Some(UntilEntry { tenant: None, id: "x".into() }),
            |entry| entry.until = Some(UntilEntry { tenant: Some("a b".into()), id: ObjectId(1).to_string() }),
        ] {
            assert_eq!(wrong(change), Err(Damage::Selection));
        }
    }
}
