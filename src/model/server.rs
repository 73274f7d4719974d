//! What tells one server from another, whatever the URL it is reached by.

use std::collections::BTreeSet;

/// What is known of the server behind a URL that would still be so behind another URL of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerIdentity {
    /// The URL: host in lower case, the port always there, every name of this machine as `localhost`.
    pub url: String,
    /// The voters of the cluster, each as `id@address`; empty where they cannot be asked (before 1.25, or a key without
    /// `read_cluster`).
    pub voters: BTreeSet<String>,
    /// Names of shards of plain collections, which a server draws at random: of those that a run is about, and of some
    /// others.
    pub shards: BTreeSet<String>,
    /// How many of these are of collections that the run is not about.
    pub lasting_shards: usize,
}

impl ServerIdentity {
    /// The identity of a server of which nothing but the URL is known.
    #[must_use]
    pub fn of_url(url: &str) -> Self {
        Self { url: comparable(url), ..Self::default() }
    }

    /// Whether both may be one server. In doubt, where of one of them neither voters nor other collections are known, they
    /// are: a run that waits for nothing is better than two that write to one collection.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        if self.url == other.url || self.shards.iter().any(|shard| other.shards.contains(shard)) {
            return true;
        }
        // Nodes of two clusters may have the same names and addresses, in networks of their own. Then each has collections
        // that no run is about, and none of them in common.
        let told_apart = self.lasting_shards > 0 && other.lasting_shards > 0;
        let unknown = self.voters.is_empty() || other.voters.is_empty();
        !told_apart && (unknown || same_voters(&self.voters, &other.voters))
    }
}

/// Whether these are voters of one cluster: all names are the same, and at least one of the addresses, since a node that is
/// moved or restarted gets another one.
fn same_voters(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let ids = |voters: &BTreeSet<String>| -> BTreeSet<String> {
        voters.iter().map(|voter| voter.split_once('@').map_or(voter.as_str(), |(id, _)| id).to_owned()).collect()
    };
    one.intersection(other).next().is_some() && ids(one) == ids(other)
}

/// A URL of a server in one spelling, to be compared and not shown: letters of either case, the default port, slashes at the
/// end. Of the names of this machine only the three that one server nearly always answers to are one: those of
/// 127.0.0.0/8 and other names may be several servers, and what is compared like this is written to, put to sleep or taken
/// for held.
#[must_use]
pub fn address(url: &str) -> String {
    spelled(url, |host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

/// A URL as claims compare it, where one server too few is better than one too many.
fn comparable(url: &str) -> String {
    spelled(url, is_this_machine)
}

/// `scheme://host:port/path`, with `localhost` for what is this machine.
fn spelled(url: &str, is_this_machine: impl Fn(&str) -> bool) -> String {
    let url = url.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let authority = authority.to_ascii_lowercase();
    // An IPv6 address has colons of its own, and brackets around it.
    let port_at = authority.rfind(':').filter(|at| authority[*at..].bytes().skip(1).all(|b| b.is_ascii_digit()));
    let (host, port) = port_at.map_or((authority.as_str(), ""), |at| (&authority[..at], &authority[at + 1..]));
    let port = match port {
        "" if scheme == "https" => "443",
        "" => "80",
        port => port,
    };
    format!("{scheme}://{}:{port}{path}", if is_this_machine(host) { "localhost" } else { host })
}

fn is_this_machine(host: &str) -> bool {
    let numbered = host.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    numbered || host.ends_with(".localhost") || matches!(host, "localhost" | "[::1]" | "0.0.0.0" | "[::]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, voters: &[&str], shards: &[&str], lasting_shards: usize) -> ServerIdentity {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ServerIdentity { voters: set(voters), shards: set(shards), lasting_shards, ..ServerIdentity::of_url(url) }
    }

    #[test]
    fn every_spelling_of_a_url_is_one_server() {
        let same = [
            "http://localhost:8080",
            "http://LOCALHOST:8080/",
            "HTTP://127.0.0.1:8080",
            "http://127.1.2.3:8080//",
            "http://[::1]:8080",
            "http://db.localhost:8080",
            "http://0.0.0.0:8080",
        ];
        for url in same {
            assert_eq!(comparable(url), "http://localhost:8080", "{url}");
        }
        assert_eq!(comparable("https://Db.Example/weaviate/"), "https://db.example:443/weaviate");
        assert_eq!(comparable("http://db"), "http://db:80");
        assert_eq!(comparable("http://[fe80::1]"), "http://[fe80::1]:80");
        assert_ne!(comparable("http://127.example:8080"), comparable("http://localhost:8080"));
    }

    #[test]
    fn spellings_of_an_address_are_one_and_other_addresses_of_this_machine_are_not() {
        for url in ["http://localhost:80", "HTTP://LocalHost/", "http://127.0.0.1:80//", "http://[::1]"] {
            assert_eq!(address(url), "http://localhost:80", "{url}");
        }
        assert_eq!(address("https://DB.example"), address("https://db.example:443/"));
        let others = [
            "http://127.0.0.2",
            "http://db.localhost",
            "http://0.0.0.0",
            "http://[::]",
            "https://localhost",
            "http://localhost:8080",
        ];
        for url in others {
            assert_ne!(address(url), address("http://localhost"), "{url}");
        }
        assert_ne!(address("http://db/a"), address("http://db/A"), "a path has its case");
    }

    #[test]
    fn nodes_and_shards_tell_what_urls_do_not() {
        let (a, b) = ("http://a:8080", "http://b:8080");
        let cluster = server(a, &["n1@10.0.0.1:8300", "n2@10.0.0.2:8300"], &[], 0);
        // Another node or a balancer; a node that came back with another address.
        assert!(cluster.may_be(&server(b, &["n1@10.0.0.1:8300", "n2@10.0.0.2:8300"], &[], 0)));
        assert!(cluster.may_be(&server(b, &["n1@10.0.0.1:8300", "n2@10.0.0.9:8300"], &["x"], 1)));
        // One of which nothing is known, or of which nothing can be held against the other: it may be the same.
        assert!(cluster.may_be(&server(b, &[], &["x"], 1)));
        assert!(server(a, &[], &[], 0).may_be(&server(b, &[], &[], 0)));
        assert!(server(a, &[], &["x"], 0).may_be(&server(b, &[], &["y"], 1)), "the one collection may be made anew");
        assert!(!server(a, &[], &["x"], 1).may_be(&server(b, &[], &["y"], 1)));
        // Another cluster with the same names, one with other nodes.
        assert!(!cluster.may_be(&server(b, &["n1@10.9.0.1:8300", "n2@10.9.0.2:8300"], &[], 0)));
        assert!(!cluster.may_be(&server(b, &["n1@10.0.0.1:8300"], &[], 0)));
        // A common shard says it by itself.
        assert!(server(a, &[], &["x", "y"], 1).may_be(&server(b, &["n1@h"], &["y", "z"], 1)));
        // Networks of their own: same names, same addresses, nothing in common.
        let one = server(a, &["n1@172.18.0.2:8300"], &["x"], 1);
        assert!(!one.may_be(&server(b, &["n1@172.18.0.2:8300"], &["y"], 1)));
        assert!(one.may_be(&server(b, &["n1@172.18.0.2:8300"], &["y"], 0)), "the one collection was made anew");
    }
}
