/// The smallest value in `low..=high` at which `succeeds`, to within `precision`. Tries small values first, as a failure
/// there costs least. None if there is none.
pub fn smallest(
    low: usize,
    high: usize,
    precision: usize,
    mut succeeds: impl FnMut(usize) -> bool,
) -> Option<usize> {
    let (mut fails, mut works) = bracket(low, high, &mut succeeds)?;
    while works - fails > precision {
        let middle = fails.midpoint(works);
        if succeeds(middle) {
            works = middle;
        } else {
            fails = middle;
        }
    }
    Some(works)
}

/// Steps upwards, ever wider, until it works: the last value that failed and the first that worked.
fn bracket(
    low: usize,
    high: usize,
    succeeds: &mut impl FnMut(usize) -> bool,
) -> Option<(usize, usize)> {
    let mut fails = low.saturating_sub(1);
    let mut step = (low / 16).max(1);
    let mut next = low;
    loop {
        if succeeds(next) {
            return Some((fails, next));
        }
        if next == high {
            return None;
        }
        fails = next;
        next = next.saturating_add(step).min(high);
        step *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_threshold_exactly() {
        for threshold in 10..200 {
            assert_eq!(
                smallest(10, 200, 1, |value| value >= threshold),
                Some(threshold)
            );
        }
    }

    #[test]
    fn is_at_most_the_precision_above_the_threshold() {
        for threshold in 1000..1500 {
            let found = smallest(1000, 100_000, 16, |value| value >= threshold).unwrap();
            assert!(
                (threshold..threshold + 16).contains(&found),
                "{found} for {threshold}"
            );
        }
    }

    #[test]
    fn says_so_when_nothing_works() {
        assert_eq!(smallest(10, 200, 1, |_| false), None);
    }
}
