//! How a run that did not succeed is told: one struct, one text, one exit code.

use std::any::Any;
use std::error::Error;
use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use crate::event::{Class, RunResult, Status};
use crate::render::{harmless, plain, sentence};

/// Why a command did not do what it was asked, and what a person can do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure it is; gives the exit code.
    pub class: Class,
    /// What failed, naming the thing: a lower-case fragment.
    pub message: String,
    /// Lines that show where something is wrong, right below the message.
    pub excerpt: Option<Box<Excerpt>>,
    /// What alone helps, below that.
    pub remedy: Option<String>,
    /// Why, the innermost cause last.
    pub causes: Vec<String>,
    /// What to do about it, the most likely first.
    pub hints: Vec<String>,
    /// What was done before it failed, for `run_finished`.
    pub partial: Option<Box<RunResult>>,
}

/// Lines that show where something is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt(pub String);

impl Failure {
    /// A failure without causes and hints.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            excerpt: None,
            remedy: None,
            causes: Vec::new(),
            hints: Vec::new(),
            partial: None,
        }
    }

    /// An error with everything behind it.
    #[must_use]
    pub fn from_error(class: Class, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(class, error.to_string());
        let mut next = error.source();
        while let Some(cause) = next {
            failure = failure.because(cause.to_string());
            next = cause.source();
        }
        failure
    }

    /// What comes up with its context, of this class: nothing that was found out on the way is lost.
    pub(super) fn of(class: Class) -> impl Fn(anyhow::Error) -> Self {
        move |error| Self::from_error(class, error.as_ref())
    }

    /// A write to stdout that failed: quiet when nobody reads any more.
    #[must_use]
    pub fn from_stdout(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Class::ReaderGone, "nobody reads stdout any more");
        }
        Self::new(Class::Disk, "cannot write to stdout").because(error.to_string())
    }

    /// A panic that was caught.
    #[must_use]
    pub fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::new(Class::Bug, "elysiactl has a bug and stopped")
            .because(text.unwrap_or_else(|| "no reason given".into()))
            .hint("please report this with the command you ran and the output of `elysiactl --version`")
    }

    /// Adds a cause behind all causes so far, unless it only repeats the last one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        if self.causes.last().unwrap_or(&self.message) != &cause {
            self.causes.push(cause);
        }
        self
    }

    /// Adds lines that show where something is wrong.
    #[must_use]
    pub fn showing(mut self, excerpt: String) -> Self {
        self.excerpt = Some(Box::new(Excerpt(excerpt)));
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what was done before it failed.
    #[must_use]
    pub fn after(mut self, partial: RunResult) -> Self {
        self.partial = Some(Box::new(partial));
        self
    }

    /// What a person reads: `error:`, numbered causes, an empty line, hints. Values cannot drive the terminal.
    #[must_use]
    pub fn text(&self, colour: bool) -> String {
        let label = |name: &str, code: &str| {
            if colour { format!("\u{1b}[{code}m{name}:\u{1b}[0m") } else { format!("{name}:") }
        };
        let mut text = format!("{} {}\n", label("error", "1;31"), sentence(&self.message));
        if let Some(Excerpt(excerpt)) = self.excerpt.as_deref() {
            text = text + &harmless(excerpt) + "\n";
        }
        if let Some(remedy) = &self.remedy {
            // A String takes every write.
            let _ = writeln!(text, "{} {}", label("hint", "36"), sentence(remedy));
        }
        for (at, cause) in self.causes.iter().enumerate() {
            let _ = writeln!(text, "  {}: {}", at + 1, plain(cause));
        }
        if !self.hints.is_empty() {
            text.push('\n');
        }
        for hint in &self.hints {
            let _ = writeln!(text, "{} {}", label("hint", "36"), sentence(hint));
        }
        text
    }

    /// Message and causes, for `run_finished`.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        std::iter::once(&self.message).chain(&self.causes).map(|text| sentence(text)).collect()
    }

    /// The word for it in `run_finished`.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.class {
            Class::Usage | Class::Refused => Status::Refused,
            Class::Incomplete => Status::Incomplete,
            Class::Interrupted => Status::Interrupted,
            Class::Bug | Class::Server | Class::Archive | Class::Disk | Class::Locked | Class::ReaderGone => {
                Status::Failed
            }
        }
    }
}

/// The exit code of a class.
pub(super) fn code(class: Class) -> u8 {
    match class {
        Class::ReaderGone => 0,
        Class::Bug => 1,
        Class::Usage => 2,
        Class::Incomplete => 3,
        Class::Refused => 4,
        Class::Server => 5,
        Class::Archive => 6,
        Class::Disk => 7,
        Class::Locked => 8,
        Class::Interrupted => 130,
    }
}

/// The exit code of a class, for `main`.
#[must_use]
pub fn exit_code(class: Class) -> ExitCode {
    ExitCode::from(code(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_documentation() {
        let table = [
            (Class::ReaderGone, 0),
            (Class::Bug, 1),
            (Class::Usage, 2),
            (Class::Incomplete, 3),
            (Class::Refused, 4),
            (Class::Server, 5),
            (Class::Archive, 6),
            (Class::Disk, 7),
            (Class::Locked, 8),
            (Class::Interrupted, 130),
        ];
        for (class, expected) in table {
            assert_eq!(code(class), expected, "{class:?}");
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_no_failure_but_a_full_disk_is() {
        let failure = |kind: io::ErrorKind| Failure::from_stdout(&kind.into()).class;
        assert_eq!(failure(io::ErrorKind::BrokenPipe), Class::ReaderGone);
        assert_eq!(failure(io::ErrorKind::StorageFull), Class::Disk);
    }

    #[test]
    fn a_panic_is_a_bug_with_its_reason() {
        let panic = std::panic::catch_unwind(|| panic!("permits {}", 3)).expect_err("a panic");
        let failure = Failure::panicked(panic.as_ref());
        assert_eq!((failure.class, failure.causes.as_slice()), (Class::Bug, ["permits 3".to_owned()].as_slice()));
    }
}
