//! ^C and its kin: the first asks the run to stop at a safe place, the second stops at once, like a crash. Files that may
//! not grow are no reason to end.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tokio_util::sync::CancellationToken;

use super::failure;
use crate::event::Class;
use crate::render::Pause;

/// Listens from now on. Must be called inside the runtime.
pub(super) fn listen(screen: MultiProgress, pause: Pause) -> io::Result<CancellationToken> {
    let cancel = CancellationToken::new();
    let theirs = cancel.clone();
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        // At a question nothing is under way that has to be brought to a safe place.
        let text: &[u8] = if pause.is_on() { b"" } else { b"stopping at a safe place; once more to stop at once\n" };
        theirs.cancel();
        // On a thread of its own: a terminal that blocks must not keep the second signal waiting.
        tokio::task::spawn_blocking(move || screen.suspend(|| io::stderr().lock().write_all(text)));
        signals.next().await;
        exit_now();
    });
    Ok(cancel)
}

#[expect(clippy::exit, reason = "the second signal means at once, whatever is under way")]
fn exit_now() {
    std::process::exit(failure::code(Class::Interrupted).into());
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        // A file that grows beyond the limit of this process (`ulimit -f`) would end it without a word. Once somebody
        // listens, the write fails instead, as on a full disk; the listening lasts as long as the process.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
