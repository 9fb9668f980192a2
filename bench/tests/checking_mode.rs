//! The checking mode must find an allocator that gives out the same memory twice, and nothing wrong with one that does not.

use std::process::Command;

#[test]
fn a_corrupting_allocator_is_found_and_a_sound_one_is_not_accused() {
    let output = Command::new(env!("CARGO_BIN_EXE_galloc-bench"))
        .args([
            "traces",
            "--check",
            "--time-only",
            "--effort",
            "smoke",
            "--rounds",
            "1",
        ])
        .args(["--traces", "rs_json", "--contenders", "talc,no-op"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("no-op in rs_json: corrupts: "), "{text}");
    assert!(!text.contains("talc in rs_json"), "{text}");
}
