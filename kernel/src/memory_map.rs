//! The memory that the loader found.

use core::{ops::Range, slice};

/// What the loader leaves for a kernel by PVH.
#[repr(C)]
pub struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    acpi: u64,
    map: u64,
    map_entries: u32,
    reserved: u32,
}

/// A run of addresses of one kind.
#[repr(C)]
struct Entry {
    start: u64,
    length: u64,
    kind: u32,
    reserved: u32,
}

const MAGIC: u32 = 0x336e_c578;
const USABLE: u32 = 1;

/// The addresses that are mapped.
const MAPPED: u64 = 4 << 30;

impl StartInfo {
    /// The longest run of memory that nobody uses.
    ///
    /// Below the kernel are the first megabyte, with tables of the loader and
    /// of the firmware, and this start info; so all of that is left alone.
    pub fn largest_usable(&self) -> Range<usize> {
        assert!(
            self.magic == MAGIC && self.version >= 1,
            "the loader gave no memory map"
        );
        // SAFETY: the loader's word for it; the memory is below the kernel,
        // and nothing writes to it.
        let map = unsafe {
            slice::from_raw_parts(
                core::ptr::with_exposed_provenance::<Entry>(self.map as usize),
                self.map_entries as usize,
            )
        };
        let kernel_end = kernel_end() as u64;
        map.iter()
            .filter(|entry| entry.kind == USABLE)
            .map(|entry| {
                let start = entry.start.max(kernel_end);
                let end = (entry.start + entry.length).min(MAPPED).max(start);
                start as usize..end as usize
            })
            .max_by_key(Range::len)
            .unwrap_or_default()
    }
}

/// Where the kernel's own memory ends, as the linker placed it.
fn kernel_end() -> usize {
    unsafe extern "C" {
        #[link_name = "kernel_end"]
        static KERNEL_END: u8;
    }
    (&raw const KERNEL_END).addr()
}
