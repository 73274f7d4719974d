//! Questions to a person at a terminal. Nothing is drawn while one waits. Only a whole line is an answer: ^D is none,
//! and ^C ends the run. What was typed before a question was there to be read does not answer it.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use console::{Term, truncate_str};
use dialoguer::Select;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::output::{fitting, stderr_columns};
use super::{Failure, Out};
use crate::event::Class;

/// The longest answer, in bytes; more than any name.
const ANSWER_BYTES: u64 = 4_096;
/// Columns a list needs beside its items.
const LIST_COLUMNS: usize = 3;
/// How long a signal may take from a key of a list to whoever listens for it.
const SIGNAL_WAIT: Duration = Duration::from_secs(2);
/// What a run says that ends at a question.
const NOTHING_SENT: &str = "interrupted; nothing was changed";

/// Whether an answer, without its line end, means yes.
type Accepts = Box<dyn Fn(&[u8]) -> bool + Send>;

/// A question, and which answers mean yes.
pub(super) struct Question {
    text: String,
    accepts: Accepts,
}

fn is_yes(answer: &[u8]) -> bool {
    [&b"y"[..], b"yes"].iter().any(|yes| answer.eq_ignore_ascii_case(yes))
}

impl Question {
    /// `text [Y/n]`: an empty answer is yes, and everything but `y` and `yes` is no.
    pub(super) fn yes_unless_no(text: &str) -> Self {
        let accepts = Box::new(|answer: &[u8]| answer.is_empty() || is_yes(answer));
        Self { text: format!("{text} [Y/n] "), accepts }
    }

    /// `text [y/N]`: everything but `y` and `yes` is no, an empty answer too.
    pub(super) fn no_unless_yes(text: &str) -> Self {
        Self { text: format!("{text} [y/N] "), accepts: Box::new(is_yes) }
    }

    /// `text: `, and only `name` itself is yes, byte by byte: no other case, no space around it, no part of it.
    pub(super) fn typed(text: &str, name: &str) -> Self {
        let name = name.to_owned();
        // An empty name would be answered by an empty line.
        let accepts = Box::new(move |answer: &[u8]| !name.is_empty() && answer == name.as_bytes());
        Self { text: format!("{text}: "), accepts }
    }

    /// Asks once and reads one line, exactly as it was typed; `None` if the input ended before the line did.
    fn put(&self, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Option<bool>> {
        to.write_all(self.text.as_bytes())?;
        to.flush()?;
        let mut line = Vec::new();
        from.take(ANSWER_BYTES).read_until(b'\n', &mut line)?;
        let Some(answer) = line.strip_suffix(b"\n") else {
            // The terminal echoed no line end.
            to.write_all(b"\n")?;
            return Ok(None);
        };
        Ok(Some((self.accepts)(answer.strip_suffix(b"\r").unwrap_or(answer))))
    }
}

/// Asks, and goes on only if the answer is yes.
pub(super) async fn ask(out: &Out, cancel: &CancellationToken, question: Question) -> Result<(), Failure> {
    if answer(out, cancel, question).await? {
        return Ok(());
    }
    Err(Failure::new(Class::Refused, "not confirmed; nothing was changed"))
}

/// Asks, and gives the answer; there has to be one.
pub(super) async fn answer(out: &Out, cancel: &CancellationToken, question: Question) -> Result<bool, Failure> {
    let text = fitting(question.text.trim_end(), stderr_columns()) + " ";
    let question = Question { text, ..question };
    let answer = at_terminal(out, cancel, move || {
        forget_what_was_typed();
        question.put(&mut io::stdin().lock(), &mut io::stderr())
    });
    answer.await?.ok_or_else(|| Failure::new(Class::Refused, "no answer; nothing was changed"))
}

/// Lets a person choose one of `items`, the first one marked; gives its place.
pub(super) async fn choose(
    out: &Out,
    cancel: &CancellationToken,
    prompt: &str,
    items: Vec<String>,
) -> Result<usize, Failure> {
    let prompt = prompt.to_owned();
    let chosen = at_terminal(out, cancel, move || {
        forget_what_was_typed();
        let terminal = Term::stderr();
        let columns = usize::from(terminal.size().1).saturating_sub(LIST_COLUMNS);
        let items: Vec<_> = items.iter().map(|item| truncate_str(item, columns, "…")).collect();
        let select = Select::new().with_prompt(prompt).items(&items).default(0);
        let dialoguer::Error::IO(error) = match select.interact_on_opt(&terminal) {
            Ok(chosen) => return Ok(chosen),
            Err(error) => error,
        };
        Err(error)
    });
    chosen.await?.ok_or_else(|| Failure::new(Class::Refused, "nothing was chosen; nothing was changed"))
}

/// Runs what talks to the terminal on a thread of its own, which is left behind if the run is told to stop: a read
/// cannot be called off.
async fn at_terminal<T: Send + 'static>(
    out: &Out,
    cancel: &CancellationToken,
    talk: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let terminal = Restores::now();
    let paused = out.pause();
    let (sender, mut receiver) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("question".into()).spawn(move || sender.send(talk()).is_ok());
    spawned.map_err(failed)?;
    let interrupted = || Failure::new(Class::Interrupted, NOTHING_SENT);
    let answer = tokio::select! {
        answer = &mut receiver => answer,
        () = cancel.cancelled() => {
            terminal.restore();
            // What is drawn next must not begin on the line of the question, which it would wipe out.
            let _ = io::stderr().write_all(b"\n");
            drop(paused);
            return Err(interrupted());
        }
    };
    terminal.restore();
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        // A list reads ^C as a key, sends the signal itself, and gives this error.
        Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
            let _ = tokio::time::timeout(SIGNAL_WAIT, cancel.cancelled()).await;
            Err(interrupted())
        }
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(Failure::new(Class::Bug, "a question was never asked")),
    }
}

fn failed(error: io::Error) -> Failure {
    let error = anyhow::Error::new(error).context("cannot ask at this terminal");
    Failure::of(Class::Disk)(error).hint("-y answers the question")
}

/// A key pressed while something else was on the screen must not confirm anything.
fn forget_what_was_typed() {
    #[cfg(unix)]
    // Where it cannot be thrown away, it counts as typed now.
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// How the terminal was set: a list that is left behind has its echo off and its cursor hidden.
struct Restores {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Restores {
    fn now() -> Self {
        Self {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    fn restore(&self) {
        let _ = Term::stderr().show_cursor();
        #[cfg(unix)]
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(typed: &str) -> (Option<bool>, String) {
        let (mut from, mut shown) = (typed.as_bytes(), Vec::new());
        let said = Question::yes_unless_no("Go on?").put(&mut from, &mut shown).expect("read");
        (said, String::from_utf8(shown).expect("text"))
    }

    #[test]
    fn an_empty_answer_and_yes_in_any_case_are_yes() {
        for typed in ["\n", "\r\n", "y\n", "Y\n", "yes\n", "YES\r\n"] {
            assert_eq!(answered(typed), (Some(true), "Go on? [Y/n] ".into()), "{typed:?}");
        }
    }

    #[test]
    fn anything_else_is_no() {
        for typed in ["n\n", "no\n", " \n", "yy\n", "y \n", "\u{1b}[A\n", "yes please\n", "ja\n"] {
            assert_eq!(answered(typed).0, Some(false), "{typed:?}");
        }
    }

    #[test]
    fn only_yes_is_yes_where_no_is_the_default() {
        let said =
            |typed: &str| Question::no_unless_yes("Sure?").put(&mut typed.as_bytes(), &mut Vec::new()).expect("read");
        assert_eq!(["y\n", "YES\n", "yes\r\n"].map(said), [Some(true); 3]);
        assert_eq!(["\n", "n\n", " y\n", "y \n", "yep\n", "Article\n"].map(said), [Some(false); 6]);
        assert_eq!(["", "y"].map(said), [None; 2]);
    }

    #[test]
    fn a_name_has_to_be_typed_byte_by_byte() {
        let mut shown = Vec::new();
        let said = Question::typed("Its name", "Article").put(&mut &b"Article\n"[..], &mut shown).expect("read");
        assert_eq!((said, shown.as_slice()), (Some(true), &b"Its name: "[..]));
        let said = |typed: &str| {
            Question::typed("Its name", "Article").put(&mut typed.as_bytes(), &mut Vec::new()).expect("read")
        };
        for typed in [
            "\n",
            "article\n",
            "ARTICLE\n",
            "Articl\n",
            "Articles\n",
            "Article \n",
            " Article\n",
            "y\n",
            "yes\n",
            "Article\t\n",
            "\u{410}rticle\n",
            "Article\0\n",
            "Art\nicle\n",
            "\"Article\"\n",
            "*\n",
        ] {
            assert_eq!(said(typed), Some(false), "{typed:?}");
        }
        assert_eq!(said("Article"), None, "^D is no line end");
        assert_eq!(Question::typed("?", "").put(&mut &b"\n"[..], &mut Vec::new()).expect("read"), Some(false));
    }

    #[test]
    fn an_answer_without_its_end_is_none() {
        for typed in ["", "y", "yes"] {
            assert_eq!(answered(typed), (None, "Go on? [Y/n] \n".into()), "{typed:?}");
        }
        assert_eq!(answered(&"y".repeat(10_000)).0, None, "and neither is one without an end in sight");
    }

    #[test]
    fn only_the_first_line_is_the_answer() {
        let mut from = &b"n\ny\n"[..];
        let said = Question::yes_unless_no("?").put(&mut from, &mut Vec::new()).expect("read");
        assert_eq!((said, from), (Some(false), &b"y\n"[..]));
    }
}
