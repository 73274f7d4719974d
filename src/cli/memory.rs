//! What the platform says about memory: how much this process may use, and how much it has used.

use std::path::Path;

use crate::ops::bounds::MEMORY_BYTES;

/// The share of a container's limit that is taken.
const SHARE: u64 = 4;

/// The default of `--memory-limit`: 128 MiB, or a quarter of the cgroup's limit, or of that on address space, if one is less.
pub(super) fn default_limit() -> u64 {
    let limits = [cgroup_limit(Path::new("/")), address_space()];
    limits.into_iter().flatten().fold(MEMORY_BYTES, |least, limit| least.min(limit / SHARE))
}

/// The limit on this process's address space (`ulimit -v`), in bytes.
#[cfg(unix)]
pub(super) fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

/// There is none here.
#[cfg(not(unix))]
pub(super) fn address_space() -> Option<u64> {
    None
}

/// The tightest memory limit of this process's cgroup and those above it, in bytes.
fn cgroup_limit(root: &Path) -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let mut limits = Vec::new();
    let groups = read("proc/self/cgroup").unwrap_or_default();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (base, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        for above in Path::new(group.trim_start_matches('/')).ancestors() {
            limits.extend(read(&format!("{base}/{}/{file}", above.display())).and_then(number));
        }
    }
    limits.into_iter().min()
}

/// The highest resident memory of this process so far, in bytes.
#[cfg(target_os = "linux")]
pub(super) fn peak() -> Option<u64> {
    // Not getrusage: its figure survives exec and would be the parent's.
    high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The highest resident memory of this process so far, in bytes.
#[cfg(target_os = "macos")]
pub(super) fn peak() -> Option<u64> {
    use nix::sys::resource::{UsageWho, getrusage};
    u64::try_from(getrusage(UsageWho::RUSAGE_SELF).ok()?.max_rss()).ok()
}

/// Not told here.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn peak() -> Option<u64> {
    None
}

#[cfg(target_os = "linux")]
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(high_water_mark("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n"), Some(1234 * 1024));
        assert_eq!(high_water_mark("Name:\tx\n"), None);
        assert!(peak().is_some());
    }

    #[test]
    fn the_tightest_limit_of_all_groups_above_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        assert_eq!(cgroup_limit(root.path()), None);
        write("proc/self/cgroup", "0::/a/b\n");
        write("sys/fs/cgroup/a/b/memory.max", "max\n");
        assert_eq!(cgroup_limit(root.path()), None);
        write("sys/fs/cgroup/a/memory.max", "268435456\n");
        assert_eq!(cgroup_limit(root.path()), Some(268_435_456));
    }

    #[test]
    fn the_older_cgroups_are_read_too() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("sys/fs/cgroup/memory/x");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::create_dir_all(root.path().join("proc/self")).expect("a folder");
        std::fs::write(root.path().join("proc/self/cgroup"), "3:memory:/x\n1:cpu:/y\n").expect("a file");
        std::fs::write(folder.join("memory.limit_in_bytes"), "1048576\n").expect("a file");
        assert_eq!(cgroup_limit(root.path()), Some(1_048_576));
    }
}
