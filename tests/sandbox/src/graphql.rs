//! The one GraphQL query that matters: counts of one or many collections.

use std::fmt::Write;

/// One field of `Aggregate{…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// The name of the answer: the alias, or the class.
    pub(crate) key: String,
    pub(crate) class: String,
    pub(crate) tenant: Option<String>,
    /// Place of the field in the query, both from 1.
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// Where the tenant argument is.
    pub(crate) argument: (usize, usize),
}

/// A page of ids and update times: `{Get{a:C(limit:9,after:"",consistencyLevel:ALL){_additional{…}}}}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    /// The name of the answer: the alias, or the class.
    pub(crate) key: String,
    pub(crate) class: String,
    pub(crate) tenant: Option<String>,
    pub(crate) limit: usize,
    pub(crate) after: String,
    pub(crate) consistency: String,
}

/// Reads such a page; `None` for anything else.
pub(crate) fn read_page(text: &str) -> Option<Page> {
    let (field, rest) = text.strip_prefix("{Get{")?.split_once('(')?;
    let (arguments, rest) = rest.split_once(')')?;
    if rest != "{_additional{id lastUpdateTimeUnix isConsistent}}}}" {
        return None;
    }
    let (key, class) = field.split_once(':').unwrap_or((field, field));
    let mut page = Page { key: key.to_owned(), class: class.to_owned(), ..Page::default() };
    for argument in arguments.split(',') {
        let (name, value) = argument.split_once(':')?;
        let text = value.trim_matches('"').to_owned();
        match name {
            "limit" => page.limit = text.parse().ok()?,
            "after" => page.after = text,
            "tenant" => page.tenant = Some(text),
            "consistencyLevel" => page.consistency = text,
            _ => return None,
        }
    }
    Some(page)
}

/// A syntax error: the server's sentence and its place.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Reads `{Aggregate{a:C(tenant:"t"){meta{count}} …}}`.
pub(crate) fn read(text: &str) -> Result<Vec<Count>, Wrong> {
    let mut reader = Reader { text, at: 0 };
    if reader.rest().trim_start().starts_with("query") {
        reader.name()?;
    }
    reader.take('{')?;
    reader.word("Aggregate")?;
    reader.take('{')?;
    let mut counts = Vec::new();
    while counts.is_empty() || reader.peek() != Some('}') {
        counts.push(reader.count()?);
    }
    reader.take('}')?;
    reader.take('}')?;
    Ok(counts)
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&mut self) -> Option<char> {
        let skipped = self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r', ',']).len();
        self.at += skipped;
        self.rest().chars().next()
    }

    fn place(&self) -> (usize, usize) {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
    }

    fn wrong(&mut self, expected: &str) -> Wrong {
        let found = match self.peek() {
            None => "EOF".to_owned(),
            Some(c) if c.is_alphanumeric() => {
                format!("Name \"{}\"", self.rest().split(|c: char| !c.is_alphanumeric()).next().unwrap_or(""))
            }
            Some(c) => c.to_string(),
        };
        let (line, column) = self.place();
        let mut lines = String::new();
        for (number, text) in (1..).zip(self.text.lines()) {
            let _ = writeln!(lines, "{number}: {text}");
            if number == line {
                let _ = writeln!(lines, "{}^", " ".repeat(column + 2));
            }
        }
        let message =
            format!("Syntax Error GraphQL request ({line}:{column}) Expected {expected}, found {found}\n\n{lines}");
        Wrong { message, line, column }
    }

    fn take(&mut self, wanted: char) -> Result<(), Wrong> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(&wanted.to_string()));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn name(&mut self) -> Result<String, Wrong> {
        self.peek();
        let name: String = self.rest().chars().take_while(|c| *c == '_' || c.is_ascii_alphanumeric()).collect();
        if name.is_empty() {
            return Err(self.wrong("Name"));
        }
        self.at += name.len();
        Ok(name)
    }

    fn word(&mut self, wanted: &str) -> Result<(), Wrong> {
        let before = self.at;
        if self.name()? == wanted {
            return Ok(());
        }
        self.at = before;
        Err(self.wrong(wanted))
    }

    fn count(&mut self) -> Result<Count, Wrong> {
        self.peek();
        let (line, column) = self.place();
        let key = self.name()?;
        let class = if self.peek() == Some(':') {
            self.take(':')?;
            self.name()?
        } else {
            key.clone()
        };
        let mut tenant = None;
        let mut argument = (line, column);
        if self.peek() == Some('(') {
            self.take('(')?;
            self.peek();
            argument = self.place();
            self.word("tenant")?;
            self.take(':')?;
            self.take('"')?;
            let end = self.rest().find('"').unwrap_or(self.rest().len());
            tenant = Some(self.rest()[..end].to_owned());
            self.at += end;
            self.take('"')?;
            self.take(')')?;
        }
        self.take('{')?;
        self.word("meta")?;
        self.take('{')?;
        self.word("count")?;
        self.take('}')?;
        self.take('}')?;
        Ok(Count { key, class, tenant, line, column, argument })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_collections_in_one_query_are_read_with_their_names() {
        let counts =
            read("{Aggregate{a0:A{meta{count}} a1:B(tenant:\"t\"){meta{count}} C{meta{count}}}}").unwrap_or_default();
        let seen: Vec<_> = counts.iter().map(|c| (c.key.as_str(), c.class.as_str(), c.tenant.as_deref())).collect();
        assert_eq!(seen, [("a0", "A", None), ("a1", "B", Some("t")), ("C", "C", None)]);
        assert_eq!(counts[1].argument, (1, 35));
        assert!(read("{Aggregate{").is_err());
    }
}
