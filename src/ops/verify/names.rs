//! Which collection of the archive is compared with which live one. Pure.

use super::VerifyOptions;
use crate::archive::Archive;
use crate::model::{CollectionName, Renames, Schema, similar};
use crate::ops::{Error, archive_selection};

/// A chosen collection.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// Its place in the archive.
    pub(super) at: usize,
    /// Its archived schema.
    pub(super) schema: Schema,
    /// Its name on the server.
    pub(super) target: CollectionName,
}

/// The collections the options choose among `archived`, which are in the order of the archive, and all new names.
pub(super) fn choose(
    archived: Vec<Schema>,
    archive: &Archive,
    options: &VerifyOptions,
) -> Result<(Vec<Chosen>, Renames), Error> {
    let chosen = archive_selection::choose(archived, &options.selection, options.name.as_ref(), &options.renames)?;
    let chosen = chosen.of_tenants(archive, &options.tenants, &options.selection)?;
    let target = |schema: &Schema| chosen.renames.of(&schema.name).clone();
    let pairs = chosen.collections.iter();
    let pairs = pairs.map(|(at, schema)| Chosen { at: *at, target: target(schema), schema: schema.clone() }).collect();
    Ok((pairs, chosen.renames))
}

/// The live schemas of the targets, in their order; an error that names every one the server lacks.
pub(super) fn live(
    chosen: &[Chosen],
    schemas: &[Schema],
    aliases: &[(String, CollectionName)],
) -> Result<Vec<Schema>, Error> {
    let find = |name: &CollectionName| schemas.iter().find(|schema| schema.name == *name);
    let missing: Vec<&CollectionName> = chosen.iter().map(|c| &c.target).filter(|name| find(name).is_none()).collect();
    match missing.as_slice() {
        [] => Ok(chosen.iter().filter_map(|c| find(&c.target).cloned()).collect()),
        [name] => {
            let alias_of = aliases.iter().find(|(alias, _)| alias == name.as_str()).map(|(_, of)| of.clone());
            let names: Vec<&CollectionName> = schemas.iter().map(|schema| &schema.name).collect();
            let similar = similar(name.as_str(), &names);
            Err(Error::UnknownCollection { name: name.to_string(), alias_of, similar })
        }
        names => Err(Error::MissingCollections { names: names.iter().copied().cloned().collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Hint;

    fn schema(name: &str) -> Schema {
        Schema::parse(format!(r#"{{"class":"{name}"}}"#).into()).expect("a schema")
    }

    fn chosen(target: &str) -> Chosen {
        Chosen { at: 0, schema: schema("A"), target: target.parse().expect("a name") }
    }

    #[test]
    fn an_alias_is_named_as_such_and_never_followed() {
        let aliases = [("Now".to_owned(), "Article".parse().expect("a name"))];
        let error = live(&[chosen("Now")], &[schema("Article")], &aliases).expect_err("an alias");
        assert_eq!(error.hints(), [Hint::IsAlias("Article".parse().expect("a name"))]);
    }

    #[test]
    fn live_schemas_come_in_the_order_of_the_targets_or_every_missing_one_is_named() {
        let there = [schema("X"), schema("Y")];
        let found = live(&[chosen("Y"), chosen("X")], &there, &[]).expect("both");
        assert_eq!(found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Y", "X"]);
        let error = live(&[chosen("Q"), chosen("X"), chosen("P")], &there, &[]).expect_err("two are missing");
        assert!(error.to_string().ends_with("Q, P"), "{error}");
    }
}
