//! `col clear --resume`: what the last clear was about, and the command that carries one on. Clearing again does what is
//! left; all that is carried over is what was to be emptied, and that nothing was to be dropped.

use super::flags::{ClearArgs, ClearSettings, MethodArg};
use crate::cli::explain::{Verb, explain};
use crate::cli::{Connect, Failure, Out, closing};
use crate::event::Class;
use crate::model::CollectionName;
use crate::ops::clear::{LeftOpen, Wish, left_open};
use crate::ops::{Error, RunDiffers, Session};
use crate::render::{flag, plain, quoted};

/// Collections named in the command that resumes a clear; more are left to the journal.
const NAMED: usize = 10;

/// Has `settings` name what the clear was about that did not get to its end. If there is none, nothing may be emptied: what
/// was left was perhaps one tenant, and who carries it on twice names the collection alone.
pub(super) async fn take_over(
    settings: &mut ClearSettings,
    session: &Session,
    url: &str,
    out: &Out,
) -> Result<(), Failure> {
    let explained = |error: Error| explain(Verb::Clear, &error);
    let found = left_open(session, settings.options.state.runs.clone(), url).await.map_err(explained)?;
    let Some(found) = found else {
        let text = "there is no unfinished clear on this server to resume: nothing was done";
        return Err(Failure::new(Class::Refused, text).hint("to begin a new one, run the command without --resume"));
    };
    let LeftOpen { run, collections, tenants, deletes } = found;
    let names: Vec<String> = collections.iter().map(ToString::to_string).collect();
    let (take, wanted) = (&mut settings.options.selection.take, &mut settings.options.tenants);
    let mut differs = Vec::new();
    if !take.is_empty() && take.iter().any(|name| !names.contains(name)) {
        differs.push(RunDiffers::Emptied { collections: collections.clone() });
    }
    if !wanted.is_empty() && *wanted != tenants {
        let of = RunDiffers::Tenants { tenants: tenants.clone() };
        differs.push(if tenants.is_empty() { RunDiffers::AllTenants } else { of });
    }
    if !differs.is_empty() {
        return Err(explained(Error::OtherRun { run, differs }));
    }
    if out.wants_words() {
        out.note(&(plain(&format!("Resumes {run}: what is left of {}.", names.join(", "))) + "\n"));
    }
    if take.is_empty() {
        *take = names;
    }
    *wanted = tenants;
    // Whoever had objects deleted did not want the collection dropped: that is not chosen anew.
    if deletes && settings.options.wish == Wish::Auto {
        settings.options.wish = Wish::Delete;
    }
    Ok(())
}

/// The command that resumes a clear of these collections.
pub(super) fn command(args: &ClearArgs, collections: &[CollectionName], connect: &Connect) -> String {
    let mut command = "elysiactl col clear".to_owned();
    for name in collections.iter().take(if collections.len() > NAMED { 0 } else { NAMED }) {
        command = command + " " + &quoted(name.as_str());
    }
    for tenant in &args.tenant {
        command += &flag("--tenant", tenant.as_str());
    }
    command += match args.method {
        MethodArg::Auto => "",
        MethodArg::Recreate => " --method recreate",
        MethodArg::Delete => " --method delete",
    };
    if args.allow_protected {
        command += " --allow-protected";
    }
    command += &closing::path_flag("--output", args.output.as_deref());
    command += &closing::path_flag("--run-dir", args.run_dir.as_deref());
    command + " --resume" + &connect.url_flag(&connect.url)
}
