//! What of a region a heap can have: there is more where addresses have 64 bits.

#![cfg(target_pointer_width = "64")]

use super::{MOST_GRANULES, Plan};
use crate::unit::{GRANULE, Offset};

#[test]
fn of_more_than_32_gib_the_rest_is_ignored() {
    const MOST: usize = (32 << 30) - 2 * GRANULE;
    for more in [0, 7, 8, 9, 16, 1 << 40] {
        let plan = Plan::new(GRANULE, MOST + more, 0).unwrap();
        assert_eq!(plan.bounds.limit, Offset(MOST_GRANULES));
        assert_eq!(plan.bounds.limit.bytes(), MOST);
        assert_eq!(plan.bounds.ignored, more / GRANULE * GRANULE);
    }
    let plan = Plan::new(GRANULE, MOST - 1, 0).unwrap();
    assert_eq!(plan.bounds.limit, Offset(MOST_GRANULES - 1));
    assert_eq!(plan.bounds.ignored, 0);
}
