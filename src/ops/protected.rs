//! Names of collections that are not removed or emptied by accident. Pure.

use crate::model::CollectionName;

/// What such names begin with, in lower case.
const BEGINNINGS: [&str; 3] = ["elysiactl_", "elysia_", ".internal"];
/// What such names end with, in lower case.
const ENDINGS: [&str; 1] = ["_system"];

/// Whether a name is protected, whatever the case of its letters.
pub(super) fn is_protected(name: &CollectionName) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    let class = name.rsplit(':').next().unwrap_or(&name);
    BEGINNINGS.iter().any(|beginning| class.starts_with(beginning))
        || ENDINGS.iter().any(|ending| class.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems_are_protected_in_any_case() {
        let protected = |text: &str| is_protected(&text.parse().expect("a name"));
        for name in ["ELYSIACTL_runs", "Elysia_Config", "Chat_SYSTEM", "Users_system", "ns:ELYSIA_X"] {
            assert!(protected(name), "{name}");
        }
        for name in ["Article", "Elysia", "ElysiactlRuns", "SYSTEM_Chat", "System"] {
            assert!(!protected(name), "{name}");
        }
    }
}
