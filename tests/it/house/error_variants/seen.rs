//! Where a text looks at a value, and where it makes one: `matches!`, `let`, an arm of a `match` and a comparison see what
//! something else produced; every other place makes the value itself.

/// What a place does with the path written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Sees,
    Makes,
    /// A `use` line.
    Imports,
}

/// The text with what stands in quotes blanked, so that every bracket and name left is code.
pub(super) fn without_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("blanked in whole characters")
}

/// The end of the literal that begins here, or this place itself.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let find = |from: usize, end: &[u8]| {
        bytes[from..]
            .windows(end.len())
            .position(|part| part == end)
            .map_or(bytes.len(), |more| from + more + end.len())
    };
    match bytes[at] {
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        }
        b'r' if at == 0
            || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
            || bytes[at - 1] == b'b' =>
        {
            let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
            if bytes.get(at + 1 + hashes) != Some(&b'"') {
                return at;
            }
            find(at + 2 + hashes, format!("\"{}", "#".repeat(hashes)).as_bytes())
        }
        b'\'' if bytes.get(at + 1) == Some(&b'\\') => find(at + 3, b"'"),
        b'\'' => {
            // A character of any length, and not a lifetime.
            let length = std::str::from_utf8(&bytes[at + 1..])
                .ok()
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8);
            if bytes.get(at + 1 + length) == Some(&b'\'') { at + length + 2 } else { at }
        }
        _ => at,
    }
}

/// Every path of a text without literals that means something, with what is done there.
pub(super) fn deeds<T>(text: &str, meant: impl Fn(&[String]) -> Option<T>) -> Vec<(T, Deed)> {
    let bytes = text.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => {
                open.pop();
            }
            byte if is_name(byte) => {
                let mut end = at;
                while end < bytes.len() && (is_name(bytes[end]) || bytes[end..].starts_with(b"::")) {
                    end += if bytes[end] == b':' { 2 } else { 1 };
                }
                let path: Vec<String> = text[at..end].split("::").map(str::to_owned).collect();
                found.extend(meant(&path).map(|what| (what, deed(text, &open, at, end))));
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// What is done at `from..to`, which lies in these open brackets.
fn deed(text: &str, open: &[usize], from: usize, to: usize) -> Deed {
    let (mut from, mut to) = (from, past_group(text, to));
    for opener in open.iter().rev().map(|at| Some(*at)).chain([None]) {
        let begin = opener.map_or(0, |at| at + 1);
        let before = level(&text[begin..from], true);
        let statement = before.rsplit([';', '}']).next().unwrap_or("").trim_start();
        if statement.starts_with("use ")
            || statement.starts_with("pub use ")
            || statement.starts_with("pub(crate) use ")
        {
            return Deed::Imports;
        }
        let is_bound = before.rsplit_once("let ").is_some_and(|(_, after)| !after.contains([';', '=']));
        let is_compared = before.trim_end().ends_with("==") || before.trim_end().ends_with("!=");
        if is_bound || is_compared || is_arm(&text[to..]) && !before.trim_end().ends_with("=>") {
            return Deed::Sees;
        }
        let Some(opener) = opener else { break };
        let called = text[..opener].trim_end();
        let name: String = called.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '!').collect();
        let name: String = name.chars().rev().collect();
        let looks = match name.as_str() {
            "matches!" | "assert_matches!" => before.contains(','),
            "assert_eq!" | "assert_ne!" => true,
            _ => false,
        };
        if looks {
            return Deed::Sees;
        }
        // What a block holds is for itself, whatever the block stands in.
        let of_struct = name.starts_with(|c: char| c.is_ascii_uppercase());
        if text.as_bytes()[opener] == b'{' && !of_struct {
            break;
        }
        from = opener - name.len();
        to = close(text, opener) + 1;
    }
    Deed::Makes
}

/// The end of the bracket that opens at once, or this place itself.
fn past_group(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let opener = at + rest.len() - rest.trim_start_matches(' ').len();
    if text[opener..].starts_with(['(', '{']) { close(text, opener) + 1 } else { at }
}

/// The bracket that closes the one at `opener`.
fn close(text: &str, opener: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate().skip(opener) {
        depth += i32::from(b"([{".contains(&byte)) - i32::from(b")]}".contains(&byte));
        if depth == 0 {
            return at;
        }
    }
    text.len() - 1
}

/// What of a text lies in no bracket of its own. Of a block only the end is left, if that is asked for.
fn level(text: &str, ends: bool) -> String {
    let mut depth = 0_i32;
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if ends && depth == 0 && character == '}' {
                    out.push('}');
                }
            }
            _ if depth == 0 => out.push(character),
            _ => {}
        }
    }
    out
}

/// Whether what ends here is the pattern of an arm: `=>` comes before anything ends it.
fn is_arm(text: &str) -> bool {
    let mut depth = 0_i32;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' | b',' | b';' if depth == 0 => return false,
            b')' | b']' | b'}' => depth -= 1,
            b'=' if depth == 0 && bytes.get(at + 1) == Some(&b'>') => return true,
            _ => {}
        }
    }
    false
}

#[test]
fn what_is_looked_at_is_told_from_what_is_made() {
    let of = |text: &str| {
        let is_x = |path: &[String]| path.last().filter(|name| *name == "X").map(|_| ());
        deeds(&without_literals(text), is_x).into_iter().map(|((), deed)| deed).collect::<Vec<_>>()
    };
    for text in [
        "assert!(matches!(run(), Err(E::X { .. })), \"{e}\");",
        "matches!(&done, Err(A::B { source: E::X(_) }) if true)",
        "let Err(E::X { a, .. }) = run() else { panic!() };",
        "if let Some(E::X) = run() { f() }",
        "match run() { A => 1, Err(E::X { .. }) if b => 2, _ => 3 }",
        "match run() { A => { f() } E::X | E::Y => 2 }",
        "assert_eq!(run(), Err(E::X));",
        "let told = |e: &E| *e == E::X;",
        "[(Kind::A, |e| matches!(e, E::X { .. }))]",
    ] {
        assert_eq!(of(text), [Deed::Sees], "{text}");
    }
    for text in [
        "let error = E::X { a: 1 };",
        "is(&E::X, Class::Bug, &[]);",
        "match run() { A => Err(E::X), B => c }",
        "match run() { A => { f(E::X) } B => c }",
        "assert!(matches!(E::X.root(), E::Y));",
        "fn f() -> E { E::X }",
        "match f(E::X) { A => 1 }",
    ] {
        assert_eq!(of(text), [Deed::Makes], "{text}");
    }
    assert_eq!(of("use a::E::X;\nlet x = E::X;"), [Deed::Imports, Deed::Makes]);
    assert!(of("let a = \"matches!(a, E::X)\"; let b = r#\"E::X \" \"#; let c = '\"'; let d: &'a str;").is_empty());
    assert_eq!(of("let c = '\"'; matches!(a, E::X)"), [Deed::Sees]);
}
