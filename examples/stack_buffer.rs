//! Collections in a buffer on the stack, on stable Rust: the heap is a local
//! variable, and the collections are told to use it.
//!
//! ```text
//! cargo run --example stack_buffer --features allocator-api2
//! ```

use std::{error::Error, mem::MaybeUninit};

use allocator_api2::vec::Vec;
use good_memory_allocator::UnsyncAllocator;
use hashbrown::{DefaultHashBuilder, HashMap};

/// Without smallbins a heap is smallest, which suits a small buffer.
type Heap = UnsyncAllocator<0>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
    let heap = Heap::empty();
    // SAFETY: nothing else uses the buffer. It was declared before the heap
    // and everything that is allocated from it, so it outlives them.
    unsafe { heap.try_init(buffer.as_mut_ptr().cast(), buffer.len())? };

    let words = count(
        &heap,
        "the quick brown fox jumps over the lazy dog and the cat",
    );
    println!("{words:?}");
    println!("{} bytes live", heap.stats().live);
    drop(words);
    println!(
        "all freed: {} bytes in one chunk",
        heap.stats().largest_free
    );

    // What does not fit is an error and nothing worse.
    let mut large: Vec<u8, _> = Vec::new_in(&heap);
    match large.try_reserve(5000) {
        Ok(()) => println!("5000 bytes more"),
        Err(error) => println!("5000 bytes more: {error}"),
    }
    Ok(())
}

/// The words of a text and how often they occur, most frequent first.
fn count<'a, 'h>(heap: &'h Heap, text: &'a str) -> Vec<(usize, &'a str), &'h Heap> {
    let mut times = HashMap::with_hasher_in(DefaultHashBuilder::default(), heap);
    for word in text.split_whitespace() {
        *times.entry(word).or_insert(0) += 1;
    }
    let mut words = Vec::new_in(heap);
    words.extend(times.into_iter().map(|(word, times)| (times, word)));
    words.sort_unstable_by(|one, other| other.cmp(one));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_in_the_buffer_and_all_of_it_is_free_again() {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 1024];
        let heap = Heap::empty();
        // SAFETY: as in `main`.
        unsafe { heap.try_init(buffer.as_mut_ptr().cast(), buffer.len()) }.unwrap();
        let words = count(&heap, "a b a");
        assert_eq!(words.as_slice(), [(2, "a"), (1, "b")]);
        assert!(buffer.as_ptr_range().contains(&words.as_ptr().cast()));
        drop(words);
        assert_eq!(heap.stats().largest_free, heap.stats().capacity);
    }
}
