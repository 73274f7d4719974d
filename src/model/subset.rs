//! Which objects of collections are wanted, and what of them. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::fold::is_property;
use super::{BoundFilter, Filter, FilterError, ObjectId, RawObject, Schema, ShellWord, TenantName, similar};

/// Objects of every collection that a command is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PrintedSubset")]
pub struct Subset {
    /// Only objects that it is true of.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Only these properties of them; all if there are none here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Only a share of them.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleShare>,
    /// Only so many of each collection: the first by tenant and id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A subset as journals say it.
#[derive(Deserialize)]
struct PrintedSubset {
    #[serde(rename = "where")]
    filter: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    sample: Option<String>,
    sample_seed: Option<u64>,
    limit: Option<u64>,
}

impl TryFrom<PrintedSubset> for Subset {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(printed: PrintedSubset) -> Result<Self, Self::Error> {
        let PrintedSubset { filter, fields, sample, sample_seed, limit } = printed;
        let sample =
            sample.map(|share| share.parse().map(|share| SampleShare { share, seed: sample_seed.unwrap_or(0) }));
        let filter = filter.map(|filter| filter.parse()).transpose()?;
        Ok(Self { filter, fields, sample: sample.transpose()?, limit })
    }
}

/// A share of objects that is the same whoever takes it: by a hash of tenant and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SampleShare {
    /// How large it is.
    #[serde(rename = "sample")]
    pub share: Share,
    /// Which one of that size.
    #[serde(rename = "sample_seed")]
    pub seed: u64,
}

/// A part of a whole, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

/// All of it.
const MILLION: u32 = 1_000_000;

/// A text that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is above 0% and at most 100%, such as 5% or 0.25%, with four digits behind the point at most")]
pub struct NoShare;

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let percent = text.strip_suffix('%').ok_or(NoShare)?;
        let (whole, part) = percent.split_once('.').unwrap_or((percent, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !(is_number(whole) && is_number(part) && whole.len() <= 3 && part.len() <= 4) {
            return Err(NoShare);
        }
        let whole: u32 = whole.parse().map_err(|_| NoShare)?;
        let part: u32 = format!("{part:0<4}").parse().map_err(|_| NoShare)?;
        let millionths = whole * 10_000 + part;
        if (1..=MILLION).contains(&millionths) { Ok(Self(millionths)) } else { Err(NoShare) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 10_000, format!("{:04}", self.0 % 10_000));
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            part => write!(f, "{whole}.{part}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl SampleShare {
    /// Whether it takes an object: the first eight bytes of the blake3 hash of seed, tenant and id, as a number, lie in that
    /// share of all such numbers (docs/archive-format.md).
    #[must_use]
    pub fn takes(self, tenant: Option<&TenantName>, id: ObjectId) -> bool {
        let tenant = tenant.map_or("", TenantName::as_str).as_bytes();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&(tenant.len() as u64).to_le_bytes());
        let hash = hasher.update(tenant).update(&id.0.to_be_bytes()).finalize();
        let (words, _) = hash.as_bytes().as_chunks::<8>();
        (u128::from(u64::from_le_bytes(words[0])) * u128::from(MILLION)) >> 64 < u128::from(self.share.0)
    }
}

/// Why a subset is none of a collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Its filter.
    #[error(transparent)]
    Filter(FilterError),
    /// A property that is to be kept alone.
    #[error("the collection has no property {property:?}")]
    Field {
        /// The property.
        property: String,
        /// Those that may have been meant.
        similar: Vec<String>,
    },
    /// The archive was made with other properties alone (`--fields`).
    #[error("the archive does not hold the property {property:?}: others alone were selected when it was made")]
    NotKept {
        /// The property.
        property: String,
    },
}

impl Unfit {
    /// The properties that may have been meant.
    #[must_use]
    pub fn similar(&self) -> &[String] {
        match self {
            Self::Filter(FilterError { what: super::FilterProblem::UnknownProperty { similar, .. }, .. })
            | Self::Field { similar, .. } => similar,
            Self::Filter(_) | Self::NotKept { .. } => &[],
        }
    }
}

impl Subset {
    /// Whether it is everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The subset of one collection, of whose objects these properties alone are kept (all, if there are none here); `None` if
    /// that is everything.
    ///
    /// # Errors
    /// The collection lacks a property that is named, or a value is not of the type of its property.
    pub fn bind(&self, schema: &Schema, kept: &[String]) -> Result<Option<Sieve>, Unfit> {
        if self.is_all() {
            return Ok(None);
        }
        // What was parsed as a schema is JSON.
        let document: Value = serde_json::from_slice(&schema.text).unwrap_or_default();
        let known = document["properties"].as_array().map(Vec::as_slice).unwrap_or_default();
        let known: Vec<String> = known.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
        if let Some(unknown) = self.fields.iter().find(|field| !known.contains(field)) {
            let similar = similar(unknown, &known.iter().collect::<Vec<_>>());
            return Err(Unfit::Field { property: unknown.clone(), similar });
        }
        let is_kept = |property: &String| kept.is_empty() || kept.contains(property);
        if let Some(property) = self.fields.iter().find(|field| !is_kept(field)) {
            return Err(Unfit::NotKept { property: property.clone() });
        }
        let filter = self.filter.as_ref().map(|filter| filter.bind(schema)).transpose().map_err(Unfit::Filter)?;
        let unkept = filter.as_ref().and_then(|filter| filter.properties().find(|property| !is_kept(property)));
        if let Some(property) = unkept {
            return Err(Unfit::NotKept { property: property.clone() });
        }
        Ok(Some(Sieve { filter, fields: self.fields.clone(), sample: self.sample, until: None }))
    }
}

impl fmt::Display for Subset {
    /// As its flags say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut flags = Vec::new();
        flags.extend(self.filter.as_ref().map(|filter| format!("--where {}", ShellWord::of(filter.as_str()))));
        if let Some(SampleShare { share, seed }) = self.sample {
            flags.push(format!("--sample {share}"));
            flags.extend((seed > 0).then(|| format!("--sample-seed {seed}")));
        }
        flags.extend(self.limit.map(|limit| format!("--limit {limit}")));
        flags.extend((!self.fields.is_empty()).then(|| format!("--fields {}", self.fields.join(","))));
        f.write_str(&flags.join(" "))
    }
}

/// An object by its tenant and id, in whose order objects are counted.
pub type PlaceOfObject = (Option<TenantName>, ObjectId);

/// What a subset keeps of one collection.
#[derive(Debug)]
pub struct Sieve {
    filter: Option<BoundFilter>,
    fields: Vec<String>,
    sample: Option<SampleShare>,
    /// The last object that a limit leaves.
    until: Option<PlaceOfObject>,
}

impl Sieve {
    /// The same, of the objects up to this one.
    #[must_use]
    pub fn up_to(self, until: Option<PlaceOfObject>) -> Self {
        Self { until, ..self }
    }

    /// Whether it keeps an object.
    #[must_use]
    pub fn keeps(&self, tenant: Option<&TenantName>, object: &RawObject) -> bool {
        self.until.as_ref().is_none_or(|(last, id)| (tenant, object.id) <= (last.as_ref(), *id))
            && self.sample.is_none_or(|sample| sample.takes(tenant, object.id))
            && self.filter.as_ref().is_none_or(|filter| filter.is_true_of(object))
    }

    /// What it keeps of an object that it keeps; `None`: all of it.
    #[must_use]
    pub fn cut(&self, object: &RawObject) -> Option<RawObject> {
        if self.fields.is_empty() {
            return None;
        }
        object.without_properties(|name| !self.fields.iter().any(|field| is_property(field, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        for (text, shown) in
            [("5%", "5%"), ("0.25%", "0.25%"), ("100%", "100%"), ("0.0001%", "0.0001%"), ("07.50%", "7.5%")]
        {
            assert_eq!(text.parse::<Share>().expect(text).to_string(), shown);
        }
        for text in ["", "%", "5", "0%", "0.00001%", "101%", "100.0001%", "-1%", "1e1%", "+5%", "5.%", ".5%"] {
            assert_eq!(text.parse::<Share>(), Err(NoShare), "{text}");
        }
    }

    #[test]
    fn a_sample_is_a_share_of_all_and_the_same_each_time() {
        let sample = |share: &str, seed| SampleShare { share: share.parse().expect("a share"), seed };
        let ids = || (0..20_000_u128).map(ObjectId);
        let taken = |sample: SampleShare, tenant: Option<&TenantName>| -> Vec<ObjectId> {
            ids().filter(|id| sample.takes(tenant, *id)).collect()
        };
        let tenant: TenantName = "t".parse().expect("a tenant");
        let ten = taken(sample("10%", 0), None);
        assert!((1_800..2_200).contains(&ten.len()), "{}", ten.len());
        assert_eq!(ten, taken(sample("10%", 0), None));
        assert_ne!(ten, taken(sample("10%", 1), None));
        assert_ne!(ten, taken(sample("10%", 0), Some(&tenant)));
        let more = taken(sample("20%", 0), None);
        assert!(ten.iter().all(|id| more.contains(id)), "a larger share holds a smaller one");
        assert_eq!(taken(sample("100%", 0), None).len(), 20_000);
    }

    #[test]
    fn a_subset_says_itself_as_data() {
        let subset = Subset {
            filter: Some("a = 1".parse().expect("a filter")),
            fields: vec!["a".into()],
            sample: Some(SampleShare { share: "5%".parse().expect("a share"), seed: 3 }),
            limit: Some(7),
        };
        let shown = serde_json::to_string(&subset).expect("JSON");
        assert_eq!(shown, r#"{"where":"a = 1","fields":["a"],"sample":"5%","sample_seed":3,"limit":7}"#);
        assert_eq!(serde_json::from_str::<Subset>(&shown).expect("what was written"), subset);
        assert_eq!(serde_json::from_str::<Subset>("{\"jobs\":1}").expect("nothing of it"), Subset::default());
        assert!(serde_json::from_str::<Subset>(&shown.replace("a = 1", "a =")).is_err());
        assert_eq!(serde_json::to_string(&Subset::default()).expect("JSON"), "{}");
        assert_eq!(subset.to_string(), "--where 'a = 1' --sample 5% --sample-seed 3 --limit 7 --fields a");
    }
}
