//! Tells the library which checker's atomics it is to use.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(model, values(\"loom\", \"shuttle\"))");
    println!(
        "cargo:rustc-check-cfg=cfg(feature, values(\"allocator\", \"allocator-api2\", \"critical-section\"))"
    );
    println!("cargo:rustc-check-cfg=cfg(galloc_asan, galloc_valgrind)");
    for checker in ["loom", "shuttle"] {
        if std::env::var_os(format!("CARGO_FEATURE_{}", checker.to_uppercase())).is_some() {
            println!("cargo:rustc-cfg=model=\"{checker}\"");
        }
    }
}
