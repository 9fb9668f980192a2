//! Links the kernel as a program for no operating system, by `link.ld`.

fn main() {
    println!("cargo:rerun-if-changed=link.ld");
    let script = concat!("-Wl,-T,", env!("CARGO_MANIFEST_DIR"), "/link.ld");
    for argument in [
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        script,
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
