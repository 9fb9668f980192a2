//! From what the recording library writes, which speaks of addresses, to a trace, which speaks of slots.

use std::collections::HashMap;

use anyhow::{Result, ensure};

use super::op::{Kind, MAX_SLOTS, Op};

/// Three little-endian `u64`: what (as in an [`Op`], without the slot), the block, and where it was before a realloc.
const EVENT: usize = 24;
const KIND_AND_ALIGN_BITS: u32 = 7;

/// Slots of live blocks, by address.
#[derive(Default)]
struct Slots {
    live: HashMap<u64, usize>,
    free: Vec<usize>,
}

impl Slots {
    fn take(&mut self, block: u64) -> Result<usize> {
        let slot = self.free.pop().unwrap_or(self.live.len());
        ensure!(
            slot < MAX_SLOTS,
            "more than {MAX_SLOTS} blocks live at once"
        );
        self.live.insert(block, slot);
        Ok(slot)
    }

    fn give_back(&mut self, block: u64) -> Option<usize> {
        let slot = self.live.remove(&block)?;
        self.free.push(slot);
        Some(slot)
    }

    fn rename(&mut self, before: u64, block: u64) -> Option<usize> {
        let slot = self.live.remove(&before)?;
        self.live.insert(block, slot);
        Some(slot)
    }
}

/// Blocks that lived before the recording began are left out.
pub fn convert(recording: &[u8]) -> Result<Vec<Op>> {
    let (events, rest) = recording.as_chunks::<EVENT>();
    ensure!(
        rest.is_empty(),
        "the recording ends in the middle of an event"
    );
    let mut slots = Slots::default();
    let mut ops = Vec::with_capacity(events.len());
    for event in events {
        let (words, _) = event.as_chunks::<8>();
        let [what, block, before] = [0, 1, 2].map(|word| u64::from_le_bytes(words[word]));
        let (size, align) = ((what >> KIND_AND_ALIGN_BITS) as usize, Op(what).align());
        let kind = Op(what).kind();
        let slot = match kind {
            Kind::Alloc | Kind::AllocZeroed => Some(slots.take(block)?),
            Kind::Free => slots.give_back(block),
            Kind::Realloc => slots.rename(before, block),
        };
        ops.extend(slot.map(|slot| Op::new(kind, align, slot, size)));
    }
    Ok(ops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, size: u64, block: u64, before: u64) -> Vec<u8> {
        let what = kind as u64 | 3 << 2 | size << KIND_AND_ALIGN_BITS;
        [what, block, before]
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect()
    }

    #[test]
    fn a_block_keeps_its_slot_when_it_moves_and_gives_it_back_when_it_is_freed() {
        let recording = [
            event(Kind::Alloc, 10, 0x100, 0),
            event(Kind::AllocZeroed, 20, 0x200, 0),
            event(Kind::Realloc, 30, 0x300, 0x100),
            event(Kind::Free, 0, 0x300, 0),
            event(Kind::Alloc, 40, 0x100, 0),
        ];
        let expected = [
            Op::new(Kind::Alloc, 8, 0, 10),
            Op::new(Kind::AllocZeroed, 8, 1, 20),
            Op::new(Kind::Realloc, 8, 0, 30),
            Op::new(Kind::Free, 8, 0, 0),
            Op::new(Kind::Alloc, 8, 0, 40),
        ];
        assert_eq!(convert(&recording.concat()).unwrap(), expected);
    }

    #[test]
    fn blocks_from_before_the_recording_are_left_out() {
        let recording = [
            event(Kind::Free, 0, 0x100, 0),
            event(Kind::Realloc, 8, 0x300, 0x200),
        ];
        assert_eq!(convert(&recording.concat()).unwrap(), []);
    }
}
