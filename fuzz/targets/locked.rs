//! The front ends, on one thread, beside their shadow.

#![no_main]

use galloc_fuzz::{follow, front_end, input::Input, setting::with_setting};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_setting(&mut Input::new(bytes), |setting, input| {
        if let Some((heap, shadow)) = front_end::any(input, setting) {
            follow(&mut *heap.subject(), shadow, input);
        }
    });
});
