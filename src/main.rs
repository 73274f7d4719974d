//! The `elysiactl` binary.

fn main() {}
