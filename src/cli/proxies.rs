//! The proxy that a run would go through, by the variables that the HTTP client goes by. It must be one that can be used:
//! the client would pass over it otherwise, and the key would go out by another way.

use std::net::IpAddr;

use super::{Env, Failure};
use crate::event::Class;
use crate::weaviate::{Connection, Url};

/// Refuses a proxy that cannot be used, if it is the one for this address.
pub(super) fn usable(env: &Env, url: &str) -> Result<(), Failure> {
    let Ok(url) = Connection::parse_url(url) else { return Ok(()) };
    if Connection::is_local(&url) || is_exempt(env, &url)? {
        return Ok(());
    }
    let own = if url.scheme() == "https" { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    // The one for all schemes counts where that of the scheme is not set.
    for name in own.into_iter().chain(["ALL_PROXY", "all_proxy"]) {
        let Some(value) = env.text(name)? else { continue };
        if Connection::is_proxy(&value) {
            return Ok(());
        }
        let what = format!("{name} does not name a proxy that can be used");
        return Err(Failure::new(Class::Usage, what)
            .hint("write it as http://HOST:PORT, or unset it: nothing is sent past a proxy that was asked for"));
    }
    Ok(())
}

/// Whether the host is one that is reached without a proxy.
fn is_exempt(env: &Env, url: &Url) -> Result<bool, Failure> {
    let listed = match env.text("NO_PROXY")? {
        Some(listed) => Some(listed),
        None => env.text("no_proxy")?,
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    Ok(listed.is_some_and(|listed| listed.split(',').any(|entry| covers(entry.trim(), host))))
}

/// Whether an entry of `NO_PROXY` is about a host: an address, a network (`10.0.0.0/8`), `*`, or a domain with everything
/// below it.
fn covers(entry: &str, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return entry.parse() == Ok(address) || is_in_network(address, entry);
    }
    let domain = entry.strip_prefix('.').unwrap_or(entry);
    if domain.is_empty() || entry.parse::<IpAddr>().is_ok() {
        return false;
    }
    let below = || host.len().checked_sub(domain.len() + 1).and_then(|at| host.get(at..)?.strip_prefix('.'));
    entry == "*" || host.eq_ignore_ascii_case(domain) || below().is_some_and(|end| end.eq_ignore_ascii_case(domain))
}

fn is_in_network(address: IpAddr, network: &str) -> bool {
    let Some((of, bits)) = network.split_once('/') else { return false };
    let (Ok(of), Ok(bits)) = (of.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (address, of) {
        (IpAddr::V4(address), IpAddr::V4(of)) if bits <= u32::BITS => {
            let differ = address.to_bits() ^ of.to_bits();
            differ.checked_shr(u32::BITS - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(of)) if bits <= u128::BITS => {
            let differ = address.to_bits() ^ of.to_bits();
            differ.checked_shr(u128::BITS - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(variables: &[(&str, &str)], url: &str) -> bool {
        let env = Env::of(variables);
        usable(&env, url).is_err()
    }

    #[test]
    fn the_proxy_that_is_used_is_judged_and_no_other() {
        let (good, bad) = ("http://proxy:3128", "socks5://proxy:1080");
        let (https, http) = ("https://db.example", "http://db.example");
        assert!(refused(&[("all_proxy", bad)], https) && refused(&[("HTTPS_PROXY", bad)], https));
        assert!(!refused(&[("https_proxy", good), ("all_proxy", bad)], https), "it has one of its own");
        assert!(refused(&[("https_proxy", good), ("all_proxy", bad)], http), "this scheme has not");
        assert!(refused(&[("https_proxy", bad), ("all_proxy", good)], https), "that was asked for");
        assert!(!refused(&[("http_proxy", bad)], https) && !refused(&[], https));
        assert!(!refused(&[("HTTP_PROXY", bad)], "http://localhost:8080"));
    }

    #[test]
    fn a_host_that_is_reached_without_a_proxy_needs_none() {
        let exempt = |list: &str, url: &str| !refused(&[("HTTPS_PROXY", "ht tp://x"), ("NO_PROXY", list)], url);
        for (list, url) in [
            ("db.example", "https://db.example"),
            ("other, .example", "https://DB.example"),
            ("example", "https://db.example"),
            ("*", "https://db.example"),
            ("10.0.0.0/8", "https://10.9.8.7"),
            ("10.9.8.7", "https://10.9.8.7"),
            ("0.0.0.0/0", "https://10.9.8.7"),
            ("fe80::/10", "https://[fe80::1]"),
        ] {
            assert!(exempt(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("", "https://db.example"),
            ("xample", "https://db.example"),
            ("db.example", "https://example"),
            ("10.0.0.0/8", "https://11.0.0.1"),
            ("10.0.0.0/33", "https://10.0.0.1"),
            ("fe80::/10", "https://10.0.0.1"),
        ] {
            assert!(!exempt(list, url), "{list} {url}");
        }
    }
}
