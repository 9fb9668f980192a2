//! What sizes and alignments blocks have.

use fastrand::Rng;

#[derive(Clone, Copy)]
pub enum Sizes {
    /// From the first to the second, all alike likely.
    Uniform(usize, usize),
    /// From the first to the second, all orders of magnitude alike likely.
    Wide(usize, usize),
}

#[derive(Clone, Copy)]
pub enum Aligns {
    Eight,
    /// One to 1024.
    Any,
}

/// Sizes and alignments of one load.
#[derive(Clone, Copy)]
pub struct Shape(pub Sizes, pub Aligns);

pub const SMALL: Shape = Shape(Sizes::Uniform(1, 256), Aligns::Eight);
pub const WIDE: Shape = Shape(Sizes::Wide(8, 64 << 10), Aligns::Eight);
pub const ALIGNED: Shape = Shape(Sizes::Uniform(1, 4096), Aligns::Any);
/// Those of heap-exhaustion.
pub const LARGE: Shape = Shape(Sizes::Uniform(10_000, 300_000), Aligns::Any);

impl Shape {
    pub fn size(self, rng: &mut Rng) -> usize {
        match self.0 {
            Sizes::Uniform(least, most) => rng.usize(least..=most),
            Sizes::Wide(least, most) => {
                let octaves = (most as f64 / least as f64).log2();
                (least as f64 * (octaves * rng.f64()).exp2()) as usize
            }
        }
    }

    pub fn align(self, rng: &mut Rng) -> usize {
        match self.1 {
            Aligns::Eight => 8,
            Aligns::Any => 1 << rng.u8(0..=10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_in_their_range() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..10_000 {
            assert!((1..=256).contains(&SMALL.size(&mut rng)));
            assert!((8..=64 << 10).contains(&WIDE.size(&mut rng)));
            assert!(ALIGNED.align(&mut rng).is_power_of_two());
        }
    }
}
