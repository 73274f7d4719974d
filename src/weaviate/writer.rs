//! The client that may write: every method that changes a server belongs to it.

use super::client::Client;

/// A client with the methods that change a server. Plans and dry runs get a [`Client`], which has none of them: that
/// they send nothing that writes is held by the compiler.
#[derive(Debug, Clone)]
pub struct Writer(Client);

impl Writer {
    /// The right to write, for a run that was planned and confirmed.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// What it can read.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0
    }
}
