//! Collections made from a seed: a million objects that are computed when asked for and never held.

use std::io::Write;

use crate::print;

/// Distinct vector values and words; a power of two, so that a mask picks one.
const TABLE: usize = 4096;
/// Longest float32 text is 15 bytes; one fixed copy of 16 is cheaper than an exact one.
const SLOT: usize = 16;
/// Words in the text property.
const WORDS: usize = 12;

/// How the objects of a seeded collection are made.
#[derive(Debug)]
pub(crate) struct Seeded {
    seed: u64,
    objects: u64,
    /// Distance of neighbours in the 48-bit prefix of an id.
    step: u64,
    dimensions: usize,
    created: i64,
    floats: Vec<([u8; SLOT], u8)>,
}

/// A well-mixed number from a seed and an index (splitmix64).
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Seeded {
    /// `objects` is at most 2^32; `created` is in milliseconds since 1970.
    pub(crate) fn new(seed: u64, objects: u64, dimensions: usize, created: i64) -> Self {
        let objects = objects.min(1 << 32);
        let floats = (0..TABLE as u64).map(|i| float_text(mix(seed ^ 0xf10a, i))).collect();
        Self { seed, objects, step: (1 << 48) / objects.max(1), dimensions, created, floats }
    }

    pub(crate) fn len(&self) -> u64 {
        self.objects
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The id of the object at a place in sorted order.
    pub(crate) fn id(&self, index: u64) -> u128 {
        let noise = mix(self.seed, index);
        let prefix = index * self.step + noise % self.step;
        let low = (mix(self.seed ^ 0x1d, index) >> 2) | (0b10 << 62);
        (u128::from(prefix) << 80) | (4 << 76) | (u128::from(noise >> 52) << 64) | u128::from(low)
    }

    /// The place of the first object whose id is above `after`.
    pub(crate) fn above(&self, after: u128) -> u64 {
        let prefix = u64::try_from(after >> 80).unwrap_or(u64::MAX);
        let guess = (prefix / self.step).min(self.objects);
        if guess < self.objects && self.id(guess) <= after { guess + 1 } else { guess }
    }

    /// The place of an id, if the seed makes it.
    pub(crate) fn place(&self, id: u128) -> Option<u64> {
        let index = id.checked_sub(1).map_or(0, |before| self.above(before));
        (index < self.objects && self.id(index) == id).then_some(index)
    }

    /// When the object was created, in milliseconds since 1970.
    pub(crate) fn created(&self, index: u64) -> i64 {
        self.created + i64::try_from(index % 1000).unwrap_or(0)
    }

    /// Prints the properties, names sorted.
    pub(crate) fn properties(&self, out: &mut Vec<u8>, index: u64) {
        let mut noise = mix(self.seed ^ 0x9a, index);
        let day = noise % 28 + 1;
        drop(write!(
            out,
            "{{\"count\":{},\"day\":\"2024-{:02}-{day:02}T{:02}:30:00Z\",",
            index % 100_000,
            noise % 12 + 1,
            noise % 24
        ));
        out.extend_from_slice(b"\"score\":");
        self.float(out, noise >> 20);
        drop(write!(out, ",\"title\":\"object {index}"));
        for _ in 0..WORDS {
            out.push(b' ');
            let word =
                b"amber basil cedar delta ember fjord grove heron inlet juror kiosk lilac maple north ocean pearl ";
            let at = usize::try_from(noise & 15).unwrap_or(0) * 6;
            out.extend_from_slice(&word[at..at + 5]);
            noise = noise.rotate_right(5);
        }
        out.extend_from_slice(b"\"}");
    }

    /// Prints the vector.
    pub(crate) fn vector(&self, out: &mut Vec<u8>, index: u64) {
        out.push(b'[');
        let mut noise = mix(self.seed ^ 0x7ec, index);
        for _ in 0..self.dimensions {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.float(out, noise >> 40);
            out.push(b',');
        }
        if self.dimensions > 0 {
            out.pop();
        }
        out.push(b']');
    }

    fn float(&self, out: &mut Vec<u8>, noise: u64) {
        let (text, length) = self.floats[usize::try_from(noise).unwrap_or(0) & (TABLE - 1)];
        let end = out.len() + usize::from(length);
        out.extend_from_slice(&text);
        out.truncate(end);
    }

    /// The class document of the collection.
    pub(crate) fn document(&self, class: &str, tenants: bool) -> String {
        let vectors = if self.dimensions == 0 { ",\"vectorIndexConfig\":{\"skip\":true}" } else { "" };
        let tenants = if tenants { ",\"multiTenancyConfig\":{\"enabled\":true}" } else { "" };
        format!(
            "{{\"class\":\"{class}\",\"vectorizer\":\"none\"{vectors}{tenants},\"properties\":[\
             {{\"name\":\"title\",\"dataType\":[\"text\"]}},{{\"name\":\"score\",\"dataType\":[\"number\"]}},\
             {{\"name\":\"day\",\"dataType\":[\"date\"]}},{{\"name\":\"count\",\"dataType\":[\"int\"]}}]}}"
        )
    }
}

/// A float between -2 and 2 as the server prints it, mostly with eight or nine digits.
fn float_text(noise: u64) -> ([u8; SLOT], u8) {
    let unit = f32::from_bits(0x3f80_0000 | u32::try_from(noise & 0x7f_ffff).unwrap_or(0)) - 1.5;
    let mut text = Vec::new();
    print::float32(&mut text, unit * 4.0);
    let mut slot = [b' '; SLOT];
    let length = text.len().min(SLOT);
    slot[..length].copy_from_slice(&text[..length]);
    (slot, u8::try_from(length).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_lead_back_to_their_place() {
        for objects in [1, 2, 37, 10_000] {
            let seeded = Seeded::new(7, objects, 3, 0);
            for index in 0..objects {
                let id = seeded.id(index);
                assert_eq!(seeded.place(id), Some(index));
                assert_eq!(seeded.above(id), index + 1);
                assert_eq!(seeded.above(id - 1), index);
                assert_eq!(seeded.place(id + 1), None);
            }
            assert_eq!(seeded.above(0), 0);
            assert_eq!(seeded.above(u128::MAX), objects);
        }
    }

    #[test]
    fn floats_read_back_and_print_the_same() {
        for index in 0..2_000 {
            let (text, length) = float_text(mix(3, index));
            let text = String::from_utf8_lossy(&text[..usize::from(length)]).into_owned();
            let mut again = Vec::new();
            print::float32(&mut again, text.parse::<f32>().unwrap_or(f32::NAN));
            assert_eq!(again, text.as_bytes());
        }
    }
}
