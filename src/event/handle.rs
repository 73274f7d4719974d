//! The way out for what a run says.

use tokio::sync::mpsc;

use super::{Event, Warning};

/// The way out for events: cheap to clone, never fails, never waits. Nobody listening is fine.
#[derive(Debug, Clone, Default)]
pub struct Events {
    sender: Option<mpsc::UnboundedSender<Event>>,
    /// What goes out; `None`: all of it.
    passes: Option<fn(&Event) -> bool>,
}

impl Events {
    /// A handle nobody listens to.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A handle and its receiver. Unbounded, since events come one per page or part and their number is small; the
    /// receiver ends when the last handle is dropped.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender: Some(sender), passes: None }, receiver)
    }

    /// A handle to the same receiver that lets only some of it out.
    #[must_use]
    pub fn only(&self, passes: fn(&Event) -> bool) -> Self {
        Self { sender: self.sender.clone(), passes: Some(passes) }
    }

    /// Says that something happened.
    pub fn emit(&self, event: Event) {
        if let Some(sender) = self.sender.as_ref().filter(|_| self.passes.is_none_or(|passes| passes(&event))) {
            let _ = sender.send(event);
        }
    }

    /// Says something a person should know.
    pub fn warn(&self, warning: Warning) {
        self.emit(Event::Warning(warning));
    }
}
