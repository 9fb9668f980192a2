//! Budgets and grants at their limits.

use super::{Bounds, Class, Granted, Granules, Tally};

/// Few lists, of which the last is the farthest from where a search begins.
type Few = Granted<8, 2>;
type Many = Granted<512, 2>;

const LAST_OF_FEW: Class = Class {
    size: 7,
    alignment: 1,
};
const LAST_OF_MANY: Class = Class {
    size: 511,
    alignment: 1,
};
const FIRST: Class = Class {
    size: 0,
    alignment: 0,
};

#[test]
fn a_budget_can_be_granted_to_the_last() {
    let mut granted = Few::NONE;
    granted.set_budget(Granules(64));
    for bound in [16, 32, 64, 64] {
        granted.grow(FIRST, 128);
        assert_eq!(granted.of(FIRST).0, bound);
    }
}

#[test]
fn a_piece_is_an_eighth_of_the_budget_and_64_kib_at_most() {
    let mut granted = Few::NONE;
    for (budget, piece) in [(63, 7), (64, 8), (65_536, 8192), (1 << 20, 8192)] {
        granted.set_budget(Granules(budget));
        assert_eq!(granted.piece_size().0, piece);
    }
}

#[test]
fn lists_that_sleep_have_no_grants() {
    let mut granted = Few::NONE;
    granted.set_budget(Granules(64));
    granted.grow(FIRST, 128);
    assert!(!granted.are_asleep());
    granted.sleep();
    assert!(granted.are_asleep());
    assert_eq!(granted.of(FIRST), Granules::ZERO);
}

#[test]
fn of_few_lists_all_are_looked_at_for_a_grant_to_revoke() {
    let mut granted = Few::NONE;
    granted.set_budget(Granules(64));
    granted.grow(LAST_OF_FEW, 128);
    granted.set_budget(Granules::ZERO);
    let revoked = granted.revoke_any_but(FIRST, 128, Tally::NONE).unwrap();
    assert_eq!((revoked.size, revoked.alignment), (7, 1));
}

#[test]
fn of_many_lists_64_are_looked_at_at_once() {
    let mut granted = Many::NONE;
    granted.set_budget(Granules(2000));
    granted.grow(LAST_OF_MANY, 128);
    granted.set_budget(Granules::ZERO);
    for _ in 0..15 {
        assert!(granted.revoke_any_but(FIRST, 128, Tally::NONE).is_none());
    }
    let revoked = granted.revoke_any_but(FIRST, 128, Tally::NONE).unwrap();
    assert_eq!((revoked.size, revoked.alignment), (511, 1));
}

#[test]
fn a_chain_counts_for_what_it_is_more_than_its_list_was_granted() {
    let mut granted = Few::NONE;
    granted.set_budget(Granules(100));
    granted.grow(FIRST, 128);
    granted.adopt(FIRST, Granules(100));
    assert_eq!(granted.of(FIRST).0, 100);
    assert!(granted.may_adopt());
    granted.adopt(LAST_OF_FEW, Granules(1));
    assert!(!granted.may_adopt());
}
