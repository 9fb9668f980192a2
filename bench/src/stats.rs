//! From samples to figures.

use statrs::statistics::{Data, OrderStatistics, Statistics};

/// A median with its spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
}

impl Summary {
    pub fn of(samples: &[f64]) -> Option<Self> {
        if samples.is_empty() {
            return None;
        }
        let mut data = Data::new(samples.to_vec());
        Some(Self {
            median: data.median(),
            lower_quartile: data.lower_quartile(),
            upper_quartile: data.upper_quartile(),
        })
    }

    /// The same with `cost` taken off.
    pub fn less(self, cost: f64) -> Self {
        Self {
            median: self.median - cost,
            lower_quartile: self.lower_quartile - cost,
            upper_quartile: self.upper_quartile - cost,
        }
    }

    /// Half of the distance between the quartiles, over the median.
    pub fn spread(&self) -> f64 {
        (self.upper_quartile - self.lower_quartile) / 2.0 / self.median
    }
}

/// The median; not a number when there are no samples.
pub fn median(samples: &[f64]) -> f64 {
    Summary::of(samples).map_or(f64::NAN, |summary| summary.median)
}

/// The mean of the samples between the quartiles: finer than the median where a clock ticks coarsely.
pub fn interquartile_mean(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    let quarter = samples.len() / 4;
    samples[quarter..samples.len() - quarter].mean()
}

/// The geometric mean; none when there are no samples.
pub fn geometric_mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.geometric_mean())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn one_sample_has_no_spread() {
        assert_eq!(Summary::of(&[7.0]).unwrap().spread(), 0.0);
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_quartiles_far() {
        let samples: Vec<f64> = (1..=99).map(f64::from).chain([1e9]).collect();
        let summary = Summary::of(&samples).unwrap();
        assert!(summary.median < 52.0 && summary.upper_quartile < 77.0);
    }

    #[test]
    fn outliers_on_both_sides_are_no_part_of_the_interquartile_mean() {
        assert_eq!(interquartile_mean(&[-1e9, 1.0, 2.0, 1e9]), 1.5);
    }

    #[test]
    fn doubling_and_halving_cancel_in_the_geometric_mean() {
        assert!((geometric_mean(&[0.5, 2.0]).unwrap() - 1.0).abs() < 1e-12);
    }
}
