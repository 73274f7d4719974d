//! What a user would see when the server or the network misbehaves, against scripted servers.
