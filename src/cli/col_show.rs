//! `col show`: flags in, operation, one collection for people or as a document.

pub(super) mod flags;
mod text;

use std::process::ExitCode;

use self::flags::ColShowArgs;
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::runtime::read;
use super::{Connect, Env, Failure, Out, ls};
use crate::event::Warning;
use crate::ops::inventory;

pub(super) fn run(args: &ColShowArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let shown = read(out, async |events| {
        let client = connect.client(Verb::List, &events)?;
        let shown = inventory::show(&client, &args.collection).await.map_err(|e| explain(Verb::List, &e))?;
        // What is shown says of an alias that it is one.
        if args.collection != shown.name && shown.asked_by_alias.is_none() {
            let (typed, collection) = (args.collection.to_string(), shown.name.clone());
            events.warn(Warning::NameTaken { typed, collection, is_alias: false });
        }
        Ok(shown)
    })?;
    out.note(&ls::warnings(&shown.topology, std::iter::once((shown.name.as_str(), &shown.objects))));
    if out.json() {
        out.document(&shown)?;
    } else {
        out.text(&text::text(&shown, out.columns()))?;
    }
    Ok(ExitCode::SUCCESS)
}
