//! Collections in a buffer on the stack, on stable Rust: the heap is a local
//! variable, and the collections are told to use it. The program's global
//! allocator serves none of this.
//!
//! ```text
//! cargo run --example stack_buffer --features allocator-api2
//! ```

use std::{error::Error, mem::MaybeUninit};

use allocator_api2::vec::Vec;
use good_memory_allocator::SpinLockedAllocator;
use hashbrown::{DefaultHashBuilder, HashMap};

/// A heap for a few dozen blocks of any size: without smallbins it is smallest.
type Heap = SpinLockedAllocator<0>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
    let heap = Heap::empty();
    // SAFETY: nothing else uses the buffer, and it outlives the heap and all
    // that is allocated from it, as it was declared first.
    unsafe { heap.try_init(buffer.as_mut_ptr().cast(), buffer.len())? };

    let text = "the quick brown fox jumps over the lazy dog and the cat";
    print_words(&heap, text);
    println!("{:?}", heap.stats());

    // What does not fit is an error and nothing worse.
    let mut large: Vec<u8, _> = Vec::new_in(&heap);
    let error = large.try_reserve(5000).unwrap_err();
    println!("5000 bytes more: {error}");
    Ok(())
}

/// Prints the words by how often they occur.
fn print_words(heap: &Heap, text: &str) {
    let mut times = HashMap::with_hasher_in(DefaultHashBuilder::default(), heap);
    for word in text.split(' ') {
        *times.entry(word).or_insert(0) += 1;
    }
    let mut words = Vec::new_in(heap);
    words.extend(times.iter().map(|(word, times)| (*times, *word)));
    words.sort_unstable_by(|one, other| other.cmp(one));
    for (times, word) in &words {
        println!("{times} {word}");
    }
    println!(
        "{} of {} bytes live",
        heap.stats().live,
        heap.stats().capacity
    );
}
