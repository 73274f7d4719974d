//! What a user sees when the server or the network misbehaves, against scripted servers on loopback.

mod answers;
mod counting;
mod faults;
mod pages;
mod secrets;
mod server;
mod shards;
mod strangers;
mod tls;
