//! Words for people are made in `render` and `cli`. What the library has to say is data; only an error's own `#[error]` text
//! is a sentence.

use std::collections::BTreeMap;
use std::path::Path;

use super::layering::sources;

/// The layers that make no sentences.
const SILENT: [&str; 3] = ["src/ops", "src/pipeline", "src/archive"];
/// Literals that look like sentences and are still there, by file: a number may only fall, and a file without any leaves
/// the list.
const LEFT: &[(&str, usize)] = &[
    ("src/archive/claimant.rs", 1),
    ("src/archive/digest.rs", 1),
    ("src/archive/disk/os.rs", 1),
    ("src/archive/format/index.rs", 1),
    ("src/archive/manifest/check.rs", 1),
    ("src/archive/reader.rs", 6),
    ("src/archive/resume.rs", 1),
    ("src/archive/runfiles/earlier.rs", 1),
    ("src/archive/stored.rs", 1),
    ("src/ops/activation.rs", 1),
    ("src/ops/backup/aliases_roles.rs", 1),
    ("src/ops/backup/missing.rs", 1),
    ("src/ops/backup/plan.rs", 2),
    ("src/ops/backup/resume.rs", 3),
    ("src/ops/clear/delete.rs", 1),
    ("src/ops/error/lost.rs", 6),
    ("src/ops/error/table.rs", 3),
    ("src/ops/error/words.rs", 5),
    ("src/ops/refusal/clear.rs", 2),
    ("src/ops/refusal/lack.rs", 2),
    ("src/ops/refusal/restore.rs", 2),
    ("src/ops/restore/plan/aliases_roles.rs", 1),
    ("src/ops/restore/roles/allowed.rs", 2),
    ("src/ops/restore/run.rs", 1),
    ("src/ops/run/name.rs", 1),
    ("src/ops/schema/fit.rs", 1),
    ("src/ops/verify/collection.rs", 1),
    ("src/pipeline/compare.rs", 1),
    ("src/pipeline/compare/value.rs", 1),
    ("src/pipeline/guard.rs", 2),
    ("src/pipeline/import.rs", 2),
    ("src/pipeline/import/again.rs", 4),
    ("src/pipeline/import/date_lists.rs", 1),
    ("src/pipeline/import/refer.rs", 4),
    ("src/pipeline/import/sort.rs", 2),
    ("src/pipeline/rewrite.rs", 1),
];
/// Attributes that hold sentences.
const ATTRIBUTES: [&str; 5] = ["error(", "expect(", "warn(", "doc", "must_use"];
/// Macros whose words are for whoever reads the log.
const LOGGED: [&str; 5] = ["trace!(", "debug!(", "info!(", "warn!(", "error!("];
/// Words of a language in a row that make a clause.
const WORDS: usize = 3;

/// The string literals of a source, without those of its tests, its comments and attributes, and its log.
fn literals(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let (mut found, mut code) = (Vec::new(), String::new());
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            '/' if text[at..].starts_with("//") => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            // A character that is a quotation mark.
            '\'' if text[at..].starts_with("'\"'") || text[at..].starts_with("'\\\"'") => {
                while rest.next_if(|(_, c)| *c != '\'').is_some() {}
                rest.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some((_, character)) = rest.next_if(|(_, c)| *c != '"') {
                    match character {
                        '\\' if rest.next_if(|(_, c)| *c == '\n').is_some() => {
                            while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                        }
                        '\\' => literal.extend(rest.next().map(|(_, c)| c)),
                        other => literal.push(other),
                    }
                }
                rest.next();
                if !is_for_others(&code) {
                    found.push(literal);
                }
                code.push('"');
            }
            other => code.push(other),
        }
    }
    found
}

/// Whether what stands here is in an attribute, or for the log. `code`: what stands before it.
fn is_for_others(code: &str) -> bool {
    let is_open =
        |from: usize, open: char, close: char| code[from..].matches(open).count() > code[from..].matches(close).count();
    let behind = |mark: &str| code.rfind(mark).map(|from| from + mark.len());
    let attribute = behind("#[").max(behind("#![")).filter(|from| is_open(from - 1, '[', ']'));
    let attribute = attribute.is_some_and(|from| ATTRIBUTES.iter().any(|name| code[from..].starts_with(name)));
    let logged = |name: &&str| code.rfind(*name).is_some_and(|from| is_open(from, '(', ')'));
    attribute || LOGGED.iter().any(logged)
}

/// Whether several words of a language stand in a row; a value between them counts for one.
fn is_clause(literal: &str) -> bool {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for character in literal.chars() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                plain.push('x');
            }
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    let is_word = |word: &str| {
        let word = word.trim_end_matches([',', ':', ';', '.', ')']).trim_start_matches('(');
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '\'')
    };
    let mut row = 0;
    plain.split(' ').any(|word| {
        row = if is_word(word) { row + 1 } else { 0 };
        row == WORDS
    })
}

#[test]
fn sentences_are_told_from_keys_and_names() {
    let source = r#"
        //! "a comment that says much"
        #[error("cannot read {collection} at all")]
        let one = format!("the key may not {lack}"); // "and so on and on"
        tracing::warn!(%error, "what went wrong {here}");
        let two = ["create_collections", "a key", "x-y z", "GET /v1/schema"];
        let three = "it is \
                     gone";
        let quote = '"';
        #[cfg(test)]
mod tests {
        "left out of this one"
    "#;
    let found: Vec<String> = literals(source).into_iter().filter(|literal| is_clause(literal)).collect();
    assert_eq!(found, ["the key may not {lack}", "it is gone"]);
}

#[test]
fn no_layer_below_makes_sentences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in SILENT.iter().flat_map(|folder| sources(folder)) {
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        if name.contains("/testing") || name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        let clauses: Vec<String> = literals(&text).into_iter().filter(|literal| is_clause(literal)).collect();
        if !clauses.is_empty() {
            found.insert(name, clauses);
        }
    }
    let left: BTreeMap<String, usize> = LEFT.iter().map(|(file, number)| ((*file).to_owned(), *number)).collect();
    let now: BTreeMap<String, usize> = found.iter().map(|(file, clauses)| (file.clone(), clauses.len())).collect();
    let more: Vec<_> = found.iter().filter(|(file, is)| is.len() > left.get(*file).copied().unwrap_or(0)).collect();
    assert!(more.is_empty(), "facts, not sentences, please: {more:#?}");
    assert_eq!(now, left, "the list says more than there is: shorten it");
}
