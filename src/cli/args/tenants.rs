//! The flags that choose tenants of an archive, for restore and verify alike.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::Failure;
use crate::event::Class;
use crate::model::{TenantMap, TenantName};
use crate::render::flag;

#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct TenantArgs {
    /// Take only this tenant of the archive; with =NEW it has another name on the server; may be repeated
    #[arg(long, value_name = "TENANT[=NEW]", value_parser = tenant)]
    pub tenant: Vec<(TenantName, TenantName)>,
    /// Take a plain collection of the archive as this tenant of a multi-tenant one
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["tenant", "into_plain"])]
    pub into_tenant: Option<TenantName>,
    /// Take the only tenant named by --tenant as a plain collection
    #[arg(long, requires = "tenant")]
    pub into_plain: bool,
}

/// The tenants named by `--tenant`, each of them once.
pub(in crate::cli) fn each_once(named: &[TenantName]) -> Result<Vec<TenantName>, Failure> {
    match named.iter().enumerate().find(|(at, tenant)| named[..*at].contains(tenant)) {
        Some((_, tenant)) => Err(Failure::new(Class::Usage, format!("--tenant names {tenant} twice"))),
        None => Ok(named.to_vec()),
    }
}

impl TenantArgs {
    /// What the flags mean together.
    pub(in crate::cli) fn map(&self) -> Result<TenantMap, Failure> {
        if let Some(tenant) = &self.into_tenant {
            return Ok(TenantMap::IntoTenant(tenant.clone()));
        }
        let usage = |text: String| Failure::new(Class::Usage, text);
        match (self.into_plain, self.tenant.as_slice()) {
            (true, [(tenant, new)]) if tenant == new => return Ok(TenantMap::IntoPlain(tenant.clone())),
            (true, _) => return Err(usage("--into-plain needs exactly one --tenant, without a new name".into())),
            (false, []) => return Ok(TenantMap::Same),
            (false, _) => {}
        }
        let (mut names, mut taken) = (BTreeMap::new(), BTreeMap::new());
        for (tenant, new) in &self.tenant {
            if names.insert(tenant.clone(), new.clone()).is_some() {
                return Err(usage(format!("--tenant names {tenant} twice")));
            }
            if let Some(other) = taken.insert(new, tenant) {
                return Err(usage(format!("--tenant gives {other} and {tenant} the same name {new}")));
            }
        }
        Ok(TenantMap::Only(names))
    }

    /// The flags that mean this, for a command to go on with; each with a blank before it.
    pub(in crate::cli) fn of(map: &TenantMap) -> String {
        match map {
            TenantMap::Same => String::new(),
            TenantMap::IntoTenant(tenant) => flag("--into-tenant", tenant.as_str()),
            TenantMap::IntoPlain(tenant) => flag("--tenant", tenant.as_str()) + " --into-plain",
            TenantMap::Only(names) => {
                let one = |(tenant, new): (&TenantName, &TenantName)| {
                    let renamed = || flag("--tenant", &format!("{tenant}={new}"));
                    if tenant == new { flag("--tenant", tenant.as_str()) } else { renamed() }
                };
                names.iter().map(one).collect()
            }
        }
    }
}

fn tenant(text: &str) -> anyhow::Result<(TenantName, TenantName)> {
    let (old, new) = text.split_once('=').unwrap_or((text, text));
    Ok((old.parse()?, new.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(tenants: &[&str], into_plain: bool) -> Result<TenantMap, Failure> {
        let tenant = tenants.iter().map(|text| tenant(text).expect("names")).collect();
        TenantArgs { tenant, into_tenant: None, into_plain }.map()
    }

    #[test]
    fn what_is_named_is_meant_and_what_makes_no_sense_is_refused() {
        let name = |text: &str| -> TenantName { text.parse().expect("a name") };
        assert_eq!(map(&[], false).expect("a map"), TenantMap::Same);
        let only = TenantMap::Only(BTreeMap::from([(name("a"), name("a")), (name("b"), name("c"))]));
        assert_eq!(map(&["a", "b=c"], false).expect("a map"), only);
        assert_eq!(map(&["a"], true).expect("a map"), TenantMap::IntoPlain(name("a")));
        for (given, flags) in [(&[][..], ""), (&["a", "b=c"], " --tenant a --tenant 'b=c'")] {
            assert_eq!(TenantArgs::of(&map(given, false).expect("a map")), flags);
        }
        assert_eq!(TenantArgs::of(&map(&["a"], true).expect("a map")), " --tenant a --into-plain");
        assert_eq!(TenantArgs::of(&TenantMap::IntoTenant(name("x"))), " --into-tenant x");
        assert_eq!(TenantArgs::of(&TenantMap::IntoTenant(name("-x"))), " --into-tenant=-x");
        for (tenants, into_plain) in
            [(&["a", "a=b"][..], false), (&["a=b", "c=b"], false), (&["a", "b"], true), (&["a=b"], true), (&[], true)]
        {
            assert_eq!(map(tenants, into_plain).expect_err("refused").class, Class::Usage, "{tenants:?}");
        }
        assert!(tenant("a b").is_err() && tenant("a=").is_err() && tenant("=a").is_err());
    }
}
