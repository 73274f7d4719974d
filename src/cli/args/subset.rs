//! The flags that choose among the objects of collections.

use std::num::NonZeroU64;

use clap::Args;

use super::values::{first_objects, sample_share};
use crate::cli::Failure;
use crate::event::Class;
use crate::model::{Filter, FilterError, SampleShare, Share, Subset};
use crate::render::caret;

/// The filter alone.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhereArgs {
    /// Take only objects that FILTER is true of, such as 'year >= 2020 and lang = "en"'
    ///
    /// Properties are compared with = != < <= > >=, `in (…)`, `contains` (a part of a text, an element of a list), `like`
    /// (% and _), `is null` and `is not null`; comparisons are joined with `and`, `or`, `not` and parentheses. Texts, dates
    /// and UUIDs stand in quotes; a day such as "2024-05-01" is its first moment in UTC. `a.b` is a property inside another
    /// one. `id` is the object's id, `@created` and `@updated` are its times. A comparison with a property that is missing
    /// or null is neither true nor false, as in SQL. The server evaluates nothing of it.
    #[arg(id = "where", long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
}

impl WhereArgs {
    pub(in crate::cli) fn resolve(&self) -> Result<Option<Filter>, Failure> {
        self.filter.as_ref().map(|text| text.parse().map_err(|error| unreadable(&error))).transpose()
    }
}

/// All of them.
#[derive(Debug, Args)]
pub(in crate::cli) struct SubsetArgs {
    #[command(flatten)]
    pub filter: WhereArgs,
    /// Keep only these properties of the objects, separated by commas; the schema stays whole
    #[arg(long, value_name = "PROPERTY", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Take only about this share of the objects, such as 5%: the same ones each time
    #[arg(long, value_name = "SHARE", value_parser = sample_share)]
    pub sample: Option<Share>,
    /// Take another sample of the same size
    #[arg(long, value_name = "N", requires = "sample", default_value_t = 0)]
    pub sample_seed: u64,
    /// Take only the first N objects of each collection, by tenant and id
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = first_objects)]
    pub limit: Option<NonZeroU64>,
}

impl SubsetArgs {
    pub(in crate::cli) fn resolve(&self) -> Result<Subset, Failure> {
        let mut fields: Vec<String> = self.fields.iter().map(|field| field.trim().to_owned()).collect();
        fields.sort_unstable();
        fields.dedup();
        if fields.iter().any(String::is_empty) {
            return Err(Failure::new(Class::Usage, "--fields has a name that is empty"));
        }
        let sample = self.sample.map(|share| SampleShare { share, seed: self.sample_seed });
        Ok(Subset { filter: self.filter.resolve()?, fields, sample, limit: self.limit.map(Into::into) })
    }
}

/// A filter that cannot be read, with the place.
fn unreadable(error: &FilterError) -> Failure {
    Failure::new(Class::Usage, format!("--where: {error}")).showing(caret(&error.filter, error.at))
}
