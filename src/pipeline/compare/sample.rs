//! Which blocks of an archive a sample takes: each with the same chance, drawn from a seed. Pure.

use super::units::{Segment, Unit};

/// Objects of a block.
pub(super) const BLOCK_OBJECTS: u64 = 100;

/// A sample of a collection.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    seed: u64,
    share: f64,
    /// A block that is taken in any case, by run and number.
    always: Option<(usize, u64)>,
}

impl Sample {
    /// About this share of the blocks, and at least one if there is any.
    #[must_use]
    pub fn new(units: &[Unit], share: f64, seed: u64) -> Self {
        let mut sample = Self { seed, share, always: None };
        let wanted = || units.iter().flat_map(|unit| &unit.segments).filter(|segment| segment.wanted);
        let runs = || wanted().filter_map(|s| Some((s.run?, s.objects)));
        let blocks = |objects: u64| objects.div_ceil(BLOCK_OBJECTS);
        let all: u64 = runs().map(|(_, objects)| blocks(objects)).sum();
        if all == 0 || runs().any(|(run, objects)| (0..blocks(objects)).any(|block| sample.takes(run, block))) {
            return sample;
        }
        let mut left = mix(seed) % all;
        for (run, objects) in runs() {
            if left < blocks(objects) {
                sample.always = Some((run, left));
                break;
            }
            left -= blocks(objects);
        }
        sample
    }

    /// Whether a block of a run is taken.
    pub(super) fn takes(&self, run: usize, block: u64) -> bool {
        let drawn = mix(self.seed ^ mix(run as u64) ^ mix(block).rotate_left(17));
        #[expect(clippy::cast_precision_loss, reason = "53 of the bits make a number below 1")]
        let drawn = (drawn >> 11) as f64 / (1u64 << 53) as f64;
        drawn < self.share || self.always == Some((run, block))
    }

    /// Whether any block of a segment is taken.
    pub(super) fn touches(&self, segment: &Segment) -> bool {
        match segment.run {
            Some(run) => (0..segment.objects.div_ceil(BLOCK_OBJECTS)).any(|block| self.takes(run, block)),
            None => true,
        }
    }
}

/// A well-mixed number (splitmix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyRange;

    fn unit(run: usize, objects: u64) -> Unit {
        let segment =
            Segment { run: Some(run), tenant: None, left_tenant: None, wanted: true, covers: KeyRange::ALL, objects };
        Unit { part: Some(run), segments: vec![segment] }
    }

    #[test]
    fn about_the_share_is_taken_and_at_least_one_block() {
        let units = [unit(0, 500_000), unit(1, 500_000)];
        let taken = |sample: Sample| {
            let blocks = (0..2).flat_map(|run| (0..5_000).map(move |block| (run, block)));
            blocks.filter(|(run, block)| sample.takes(*run, *block)).count()
        };
        for (share, range) in [(0.01, 60..=140), (0.5, 4_800..=5_200), (1.0, 10_000..=10_000)] {
            let found = taken(Sample::new(&units, share, 7));
            assert!(range.contains(&found), "{share}: {found}");
        }
        for seed in 0..50 {
            let sample = Sample::new(&units, 1e-9, seed);
            assert_eq!(taken(sample), 1, "{seed}");
            assert_eq!(
                units.iter().flat_map(|unit| &unit.segments).filter(|segment| sample.touches(segment)).count(),
                1
            );
        }
    }
}
