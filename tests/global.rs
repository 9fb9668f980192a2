//! A static heap as the global allocator of a whole program: this one, test
//! harness and all.
#![cfg(feature = "spin")]

use std::{
    collections::{BTreeMap, HashMap},
    sync::mpsc,
    thread,
};

use good_memory_allocator::StaticHeap;

#[global_allocator]
static HEAP: StaticHeap<{ 64 << 20 }> = StaticHeap::new();

#[test]
fn collections_live_in_the_heap() {
    let numbers: Vec<u64> = (0..10_000).collect();
    assert!(HEAP.stats().live >= 80_000);
    let names: HashMap<u64, String> = numbers.iter().map(|&n| (n, n.to_string())).collect();
    let sorted: BTreeMap<&str, u64> = names.iter().map(|(&n, name)| (&name[..], n)).collect();
    assert!(numbers.iter().all(|&n| sorted[&names[&n][..]] == n));
    HEAP.check().unwrap();
}

#[test]
fn what_one_thread_allocates_another_may_free() {
    let (give, take) = mpsc::sync_channel::<Vec<String>>(4);
    let producer = thread::spawn(move || {
        for i in 0..500_usize {
            give.send(vec!["x".repeat(i % 97); i % 13]).unwrap();
        }
    });
    let received: Vec<_> = take.into_iter().collect();
    producer.join().unwrap();
    for (i, texts) in received.into_iter().enumerate() {
        assert_eq!(texts, vec!["x".repeat(i % 97); i % 13]);
    }
    HEAP.check().unwrap();
}

#[test]
fn a_vector_that_grows_keeps_its_elements() {
    let mut vector = Vec::new();
    for i in 0..100_000_u32 {
        vector.push(i);
    }
    vector.shrink_to_fit();
    assert!(vector.iter().copied().eq(0..100_000));
}

#[test]
fn too_much_is_refused_and_the_heap_lives_on() {
    let mut bytes = Vec::<u8>::new();
    assert!(bytes.try_reserve_exact(64 << 20).is_err());
    assert!(bytes.try_reserve_exact(isize::MAX as usize).is_err());
    assert!(bytes.try_reserve_exact(1 << 20).is_ok());
    HEAP.check().unwrap();
}

#[test]
fn a_panic_unwinds_in_it() {
    let outcome = thread::spawn(|| {
        let text = String::from("this one is meant");
        panic!("{text}");
    });
    assert!(outcome.join().is_err());
    HEAP.check().unwrap();
}
