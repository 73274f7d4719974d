//! From the text of a filter to what it says. Whether the collection has such properties is not asked here.

use super::tokens::{Placed, Token, next, shown};
use super::{
    FILTER_BYTES, FILTER_NESTING, FilterProblem, Literal, LiteralValue, Order, PlaceName, PlaceSyntax, Syntax, TESTS,
    TestSyntax, VALUES_IN, Wrong,
};

pub(super) fn parse(filter: &str) -> Result<Syntax, Wrong> {
    if filter.len() > FILTER_BYTES {
        return Err((0, FilterProblem::TooMuch { limit: FILTER_BYTES, of: "bytes" }));
    }
    let mut parser = Parser { filter, ahead: None, reached: 0, depth: 0, tests: 0 };
    parser.step()?;
    let tree = parser.any()?;
    if parser.ahead.is_some() {
        let found = shown(filter, parser.ahead.as_ref());
        return Err((parser.place(), FilterProblem::NoEnd { found }));
    }
    Ok(tree)
}

struct Parser<'a> {
    filter: &'a str,
    /// The next token.
    ahead: Option<Placed>,
    /// Where the one after it may begin.
    reached: usize,
    depth: usize,
    tests: usize,
}

impl Parser<'_> {
    /// Goes on by one token, and gives the one that was ahead.
    fn step(&mut self) -> Result<Option<Placed>, Wrong> {
        let ahead = next(self.filter, self.reached)?;
        self.reached = ahead.as_ref().map_or(self.filter.len(), |ahead| ahead.end);
        Ok(std::mem::replace(&mut self.ahead, ahead))
    }

    /// Where the next token begins.
    fn place(&self) -> usize {
        self.ahead.as_ref().map_or(self.filter.trim_end().len(), |ahead| ahead.at)
    }

    fn missing<T>(&self, wanted: &'static str) -> Result<T, Wrong> {
        Err((self.place(), FilterProblem::Missing { wanted, found: shown(self.filter, self.ahead.as_ref()) }))
    }

    /// Steps over the word, if it comes next.
    fn word(&mut self, word: &str) -> Result<bool, Wrong> {
        let comes = self.ahead.as_ref().is_some_and(|ahead| ahead.token.is_word(word));
        if comes {
            self.step()?;
        }
        Ok(comes)
    }

    fn sign(&mut self, sign: &str) -> Result<bool, Wrong> {
        let comes = self.ahead.as_ref().is_some_and(|ahead| matches!(ahead.token, Token::Sign(there) if there == sign));
        if comes {
            self.step()?;
        }
        Ok(comes)
    }

    fn any(&mut self) -> Result<Syntax, Wrong> {
        let mut parts = vec![self.all()?];
        while self.word("or")? {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Syntax::Any(parts) })
    }

    fn all(&mut self) -> Result<Syntax, Wrong> {
        let mut parts = vec![self.negated()?];
        while self.word("and")? {
            parts.push(self.negated()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Syntax::All(parts) })
    }

    fn negated(&mut self) -> Result<Syntax, Wrong> {
        let at = self.place();
        let negated = self.word("not")?;
        let opened = !negated && self.sign("(")?;
        if !(negated || opened) {
            return self.test();
        }
        self.depth += 1;
        if self.depth > FILTER_NESTING {
            return Err((at, FilterProblem::TooMuch { limit: FILTER_NESTING, of: "parentheses inside each other" }));
        }
        let inside = if negated {
            Syntax::Not(Box::new(self.negated()?))
        } else {
            let inside = self.any()?;
            if !self.sign(")")? {
                return self.missing("`and`, `or` or `)`");
            }
            inside
        };
        self.depth -= 1;
        Ok(inside)
    }

    fn test(&mut self) -> Result<Syntax, Wrong> {
        self.tests += 1;
        if self.tests > TESTS {
            return Err((self.place(), FilterProblem::TooMuch { limit: TESTS, of: "comparisons" }));
        }
        let place = self.compared()?;
        if self.word("is")? {
            let negated = self.word("not")?;
            if !self.word("null")? {
                return self.missing("`null`");
            }
            return Ok(negate(Syntax::Test { place, test: TestSyntax::Null }, negated));
        }
        let negated = self.word("not")?;
        let test = if self.word("in")? {
            self.values().map(TestSyntax::In)?
        } else if self.word("contains")? {
            TestSyntax::Contains(self.value()?)
        } else if self.word("like")? {
            TestSyntax::Like(self.value()?)
        } else if negated {
            return self.missing("`in`, `contains` or `like`");
        } else {
            let order = self.order()?;
            TestSyntax::Compare(order, self.value()?)
        };
        Ok(negate(Syntax::Test { place, test }, negated))
    }

    fn compared(&mut self) -> Result<PlaceSyntax, Wrong> {
        let at = self.place();
        let name = match self.ahead.as_ref().map(|ahead| &ahead.token) {
            Some(Token::Special(name)) => match name.as_str() {
                "created" => PlaceName::Created,
                "updated" => PlaceName::Updated,
                other => return Err((at, FilterProblem::Special { found: other.to_owned() })),
            },
            Some(Token::Word(_) | Token::Quoted(_)) => return self.property(at),
            _ => return self.missing("a property"),
        };
        self.step()?;
        Ok(PlaceSyntax { at, name })
    }

    fn property(&mut self, at: usize) -> Result<PlaceSyntax, Wrong> {
        let mut names = Vec::new();
        loop {
            match self.ahead.as_ref().map(|ahead| &ahead.token) {
                Some(Token::Word(word))
                    if names.is_empty() && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) =>
                {
                    return self.missing("a property");
                }
                Some(Token::Word(name) | Token::Quoted(name)) => names.push(name.clone()),
                _ => return self.missing("a property"),
            }
            self.step()?;
            if !self.sign(".")? {
                break;
            }
        }
        let name = if names == ["id"] { PlaceName::Id } else { PlaceName::Property(names) };
        Ok(PlaceSyntax { at, name })
    }

    fn order(&mut self) -> Result<Order, Wrong> {
        for (sign, order) in ORDERS {
            if self.sign(sign)? {
                return Ok(order);
            }
        }
        self.missing("a comparison (= != < <= > >=, is null, contains, in, like)")
    }

    fn values(&mut self) -> Result<Vec<Literal>, Wrong> {
        if !self.sign("(")? {
            return self.missing("`(`");
        }
        let mut values = Vec::new();
        loop {
            if values.len() == VALUES_IN {
                return Err((self.place(), FilterProblem::TooMuch { limit: VALUES_IN, of: "values of one `in`" }));
            }
            values.push(self.value()?);
            if self.sign(")")? {
                return Ok(values);
            }
            if !self.sign(",")? {
                return self.missing("`,` or `)`");
            }
        }
    }

    fn value(&mut self) -> Result<Literal, Wrong> {
        let at = self.place();
        let value = match self.ahead.as_ref().map(|ahead| &ahead.token) {
            Some(Token::Text(text)) => LiteralValue::Text(text.clone()),
            Some(Token::Number(number)) => LiteralValue::Number(*number),
            Some(word) if word.is_word("true") => LiteralValue::Flag(true),
            Some(word) if word.is_word("false") => LiteralValue::Flag(false),
            Some(word) if word.is_word("null") => return Err((at, FilterProblem::ComparedWithNull)),
            Some(Token::Word(_) | Token::Quoted(_) | Token::Special(_)) => {
                return self.missing("a value (texts stand in quotes)");
            }
            _ => return self.missing("a value"),
        };
        self.step()?;
        Ok(Literal { at, value })
    }
}

/// Words that name no property, unless they stand between backquotes.
const WORDS: [&str; 10] = ["and", "or", "not", "is", "null", "in", "contains", "like", "true", "false"];

const ORDERS: [(&str, Order); 6] = [
    ("=", Order::Equal),
    ("!=", Order::Unequal),
    ("<=", Order::AtMost),
    (">=", Order::AtLeast),
    ("<", Order::Less),
    (">", Order::More),
];

fn negate(test: Syntax, negated: bool) -> Syntax {
    if negated { Syntax::Not(Box::new(test)) } else { test }
}
