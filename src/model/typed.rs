//! Paths of this machine as people type them: `~/` is their home, and an address is no path. Pure.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::shown::scheme;

/// The variable that says where somebody is at home.
pub const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Why what was typed is no path of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLocal {
    /// It is an address.
    #[error("{scheme}:// is not supported: files and folders of this machine are")]
    Address {
        /// What stands before `://`.
        scheme: String,
    },
    /// It begins with somebody's home, `~other`.
    #[error("only ~/ is known, no other's home; write ./~… for a name that begins with ~")]
    OthersHome,
    /// It begins with `~`, and nothing says where that is.
    #[error("~ stands for {}, which is not set", HOME)]
    NoHome,
}

/// The path that is meant by what was typed: a shell leaves a `~` in quotes, or behind `=`, as it is. A path that really
/// begins so is written `./~/…`. `home`: the value of [`HOME`].
pub fn local_path(typed: &OsStr, home: Option<OsString>) -> Result<PathBuf, NotLocal> {
    let path = Path::new(typed);
    if let Some(scheme) = typed.to_str().and_then(scheme) {
        return Err(NotLocal::Address { scheme: scheme.to_owned() });
    }
    let Some(first) = path.components().next().map(Component::as_os_str) else { return Ok(path.to_owned()) };
    if !first.as_encoded_bytes().starts_with(b"~") {
        return Ok(path.to_owned());
    }
    if first != "~" {
        return Err(NotLocal::OthersHome);
    }
    Ok(Path::new(&home.ok_or(NotLocal::NoHome)?).join(path.strip_prefix("~").unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_home_and_an_address_is_no_path() {
        let path = |typed: &str| local_path(OsStr::new(typed), Some("/home/me".into()));
        for (typed, meant) in [
            ("~", "/home/me"),
            ("~/b", "/home/me/b"),
            ("./~/b", "./~/b"),
            ("a/~/b", "a/~/b"),
            ("/a://b", "/a://b"),
            ("./s3://bucket", "./s3://bucket"),
            ("-", "-"),
        ] {
            assert_eq!(path(typed).expect("a path"), Path::new(meant), "{typed}");
        }
        for typed in ["s3://bucket/x", "file:///tmp/x", "HTTPS://x"] {
            let refused = path(typed).expect_err("an address");
            assert!(matches!(&refused, NotLocal::Address { scheme } if typed.starts_with(scheme)), "{refused}");
        }
        for typed in ["~other/b", "~~"] {
            assert_eq!(path(typed), Err(NotLocal::OthersHome), "{typed}");
        }
        assert_eq!(local_path(OsStr::new("~/b"), None), Err(NotLocal::NoHome));
    }
}
