//! A CPU's quick lists, as counts.

use crate::scaling::design::{CLASSES, Class, Design, granules};

pub struct Lists {
    design: Design,
    /// The blocks in each list.
    blocks: Vec<u32>,
}

impl Lists {
    pub fn new(design: Design) -> Self {
        Self {
            design,
            blocks: vec![0; CLASSES.into()],
        }
    }

    /// Takes a block, if there is one.
    #[inline]
    pub fn pop(&mut self, class: Class) -> bool {
        let blocks = &mut self.blocks[usize::from(class)];
        let hit = *blocks > 0;
        *blocks -= u32::from(hit);
        hit
    }

    /// Parks a block, unless the list is full.
    #[inline]
    pub fn push(&mut self, class: Class) -> bool {
        let blocks = &mut self.blocks[usize::from(class)];
        let hit = *blocks * granules(class) < self.design.bound(class);
        *blocks += u32::from(hit);
        hit
    }

    /// Fills a list that was empty, and says with how many blocks.
    pub fn refill(&mut self, class: Class) -> u32 {
        let batch = self.design.refill(class);
        self.blocks[usize::from(class)] += batch;
        batch
    }

    /// Parks a block in a list that was full, and says how many left it for that.
    pub fn give_back(&mut self, class: Class) -> u32 {
        let blocks = &mut self.blocks[usize::from(class)];
        let batch = self.design.give_back(class).min(*blocks);
        *blocks -= batch;
        *blocks += 1;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::design::{TODAY, class_of};

    #[test]
    fn a_list_is_filled_to_half_and_emptied_to_half() {
        let class = class_of(256);
        let full = TODAY.list / 32;
        let mut lists = Lists::new(TODAY);
        assert!(!lists.pop(class));
        assert_eq!(lists.refill(class), full / 2);
        for _ in full / 2..full {
            assert!(lists.push(class));
        }
        assert!(!lists.push(class));
        assert_eq!(lists.give_back(class), full / 2);
        for _ in 0..=full / 2 {
            assert!(lists.pop(class));
        }
        assert!(!lists.pop(class));
    }

    #[test]
    fn a_list_whose_half_holds_no_block_is_not_filled() {
        let class = class_of(4096);
        assert_eq!(Lists::new(TODAY).refill(class), 0);
        assert_eq!(TODAY.give_back(class), 1);
    }
}
