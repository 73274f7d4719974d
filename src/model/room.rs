//! Room for what is large: in memory that goes back to the system at once when it is let go.

/// From so many bytes on something is large.
pub const LARGE_BYTES: usize = 1 << 20;
/// An allocation beyond this is a mapping of its own whatever was freed before, so it costs the pages that were touched and
/// none when it is dropped. Below it, an allocator keeps what one phase of a run let go, in one arena for each thread.
/// Source: glibc, `DEFAULT_MMAP_THRESHOLD_MAX` on 64 bits; other allocators map less than that.
const MAPPED_BYTES: usize = (32 << 20) + 1;

/// The capacity to ask for where `bytes` are needed. Memory that is not touched costs nothing.
#[must_use]
pub const fn room_for(bytes: usize) -> usize {
    if bytes >= LARGE_BYTES && bytes < MAPPED_BYTES { MAPPED_BYTES } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_mapped_and_never_gets_less_than_it_needs() {
        for bytes in [0, 1, LARGE_BYTES - 1] {
            assert_eq!(room_for(bytes), bytes);
        }
        for bytes in [LARGE_BYTES, 5_000_000, 33_554_432, 40_000_000] {
            assert!(room_for(bytes) > 32 << 20 && room_for(bytes) >= bytes, "{bytes}");
        }
    }
}
