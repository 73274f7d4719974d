//! Whether help and the errors of parsing are coloured.

use clap::ColorChoice;

use super::Env;

/// `--color` has to be known before anything is parsed, since help and parse errors are coloured too.
pub(super) fn of_help(env: &Env) -> ColorChoice {
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--color") => arguments.next().and_then(|next| next.into_string().ok()),
            Some(other) => other.strip_prefix("--color=").map(Into::into),
            None => None,
        };
        match value.as_deref() {
            Some("always") => return ColorChoice::Always,
            Some("never") => return ColorChoice::Never,
            _ => {}
        }
    }
    if env.is_set("NO_COLOR") { ColorChoice::Never } else { ColorChoice::Auto }
}
