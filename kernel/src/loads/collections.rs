//! The collections of `alloc`, which get their memory from the heap.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    format,
    string::String,
    sync::Arc,
    vec::Vec,
};

use crate::{
    cpu::{self, CPUS},
    cpus::{self, meet},
    masking_lock::Mutex,
};

pub fn run() {
    for round in 0..20 {
        let numbers = numbers(round);
        sorted(&numbers);
        words(&numbers);
        queue(&numbers);
    }
    letters();
    meet();
}

fn numbers(round: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    for i in 0..500 {
        numbers.push((i * 7919 + round * 31 + cpu::index()) % 500);
    }
    numbers.shrink_to_fit();
    let sum: usize = numbers.iter().sum();
    assert_eq!(sum, (0..500).sum());
    numbers
}

fn sorted(numbers: &[usize]) {
    let mut heap: BinaryHeap<usize> = numbers.iter().copied().collect();
    let mut sorted = numbers.to_vec();
    sorted.sort();
    for number in sorted.into_iter().rev() {
        assert_eq!(heap.pop(), Some(number));
    }
}

fn words(numbers: &[usize]) {
    let mut words = BTreeMap::new();
    for number in numbers {
        words.insert(*number, format!("the number {number}"));
    }
    words.retain(|number, _| number % 3 != 0);
    for (number, word) in &words {
        assert_eq!(word.rsplit(' ').next(), Some(format!("{number}").as_str()));
    }
    let text: String = words.into_values().collect();
    assert!(text.ends_with("the number 499"));
}

fn queue(numbers: &[usize]) {
    let mut queue: VecDeque<Box<usize>> = VecDeque::new();
    for number in numbers {
        queue.push_back(Box::new(*number));
        if number % 2 == 0 {
            queue.rotate_left(1);
        }
    }
    queue.make_contiguous().sort();
    assert!(queue.into_iter().map(|number| *number).eq(0..500));
}

/// Every CPU writes to the next one, which reads and drops it.
fn letters() {
    const LETTERS: usize = 200;
    static BOXES: [Mutex<VecDeque<Arc<str>>>; CPUS] = [const { Mutex::new(VecDeque::new()) }; CPUS];
    let own = &BOXES[cpu::index()];
    let next = &BOXES[(cpu::index() + 1) % cpus::count()];
    let mut received = 0;
    for sent in 0..LETTERS {
        next.lock().push_back(format!("letter {sent}").into());
        while let Some(letter) = read(own) {
            assert_eq!(*letter, *format!("letter {received}"));
            received += 1;
        }
    }
    meet();
    while read(own).is_some() {
        received += 1;
    }
    assert_eq!(received, LETTERS);
    *own.lock() = VecDeque::new();
}

fn read(letters: &Mutex<VecDeque<Arc<str>>>) -> Option<Arc<str>> {
    letters.lock().pop_front()
}
