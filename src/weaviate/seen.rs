//! What a key gets to see of things that servers keep from keys with few rights: a list may be short without a word, and
//! asking by name may be refused.

/// A list of things, as far as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed<T> {
    /// What the key may see of them. Servers leave out the others without a word.
    Seen(T),
    /// The key may not ask.
    Forbidden,
    /// Nothing is listed: the version knows no such things, or they are switched off.
    Nothing,
}

impl<T> Listed<T> {
    /// What was shown, if anything was.
    #[must_use]
    pub fn seen(self) -> Option<T> {
        match self {
            Self::Seen(things) => Some(things),
            Self::Forbidden | Self::Nothing => None,
        }
    }
}

/// One thing, asked for by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<T> {
    /// It is there.
    There(T),
    /// There is none of this name.
    Missing,
    /// The key may not see it, so it may be there.
    Hidden,
}
