//! What is asked for in place of what the archive has: whether there is anything that can have it, and what is made of it.

use super::super::tenants::of_kind;
use super::super::{RestoreOptions, RestoreRefusal};
use super::edited::in_place_of;
use crate::archive::Archive;
use crate::event::{Remark, RestoreRemark};
use crate::model::{CollectionName, Schema, similar};
use crate::ops::Error;
use crate::ops::archive_selection::{ChosenCollections, capital};
use crate::ops::schema::settings::{Setting, UnusedSetting, unused, wanted_replicas};

/// Refuses settings of a collection that the archive does not have, those that nothing has which is chosen, and a class
/// document of something else.
pub(super) fn refuse_unfit(
    archive: &Archive,
    chosen: &ChosenCollections,
    options: &RestoreOptions,
) -> Result<(), Error> {
    let archived: Vec<CollectionName> =
        archive.collections().iter().filter_map(|entry| entry.name.parse().ok()).collect();
    let is_there = |of: &CollectionName| archived.iter().any(|name| capital(name) == capital(of));
    if let Some(of) = options.settings.iter().filter_map(Setting::of).find(|of| !is_there(of)) {
        let similar = similar(of.as_str(), &archived.iter().collect::<Vec<_>>());
        return Err(Error::NotInArchive { name: of.to_string(), similar });
    }
    let wanted: Vec<Schema> = match (&options.schema_file, chosen.collections.as_slice()) {
        (None, all) => all.iter().map(|(_, schema)| schema.clone()).collect(),
        (Some(file), [(_, only)]) => vec![in_place_of(file, only, chosen.renames.of(&only.name))?.schema],
        (Some(_), all) => return Err(Error::OneSchemaForMany { collections: all.len() }),
    };
    let schemas: Vec<Schema> = wanted.iter().map(|schema| of_kind(schema, &options.tenants)).collect();
    match unused(&schemas, &options.settings) {
        Some(UnusedSetting { setting, there }) => Err(Error::SettingUnused { setting: setting.to_string(), there }),
        None => Ok(()),
    }
}

/// More replicas than the server has nodes are not quietly made fewer if somebody asked for them.
pub(super) fn too_few_nodes(schema: &Schema, settings: &[Setting], nodes: Option<usize>) -> Option<RestoreRefusal> {
    let replicas = wanted_replicas(settings, &schema.name)?;
    let nodes = u64::try_from(nodes?).ok()?;
    let collection = schema.name.clone();
    (replicas > nodes).then_some(RestoreRefusal::TooFewNodes { collection, replicas, nodes })
}

/// What is said of a collection that is there, and keeps its own settings.
pub(super) fn not_applied(changed: Vec<Remark>, options: &RestoreOptions) -> Vec<Remark> {
    if changed.is_empty() {
        return changed;
    }
    let settings = options.settings.iter().map(ToString::to_string).collect();
    vec![RestoreRemark::SettingsNotApplied { settings, file: options.schema_file.is_some() }.into()]
}
