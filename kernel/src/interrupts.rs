//! Interrupts and exceptions: the tables by which a CPU finds its handlers,
//! and the stacks that these run on.
//!
//! # Why handlers need a stack of their own
//!
//! The compiled `core` and `alloc` of a stable toolchain for Linux keep data
//! below the stack pointer, in the red zone of 128 bytes. A handler on the
//! same stack would overwrite it. The interrupt stack table (IST) makes the
//! CPU change to another stack first, always. The same libraries use the
//! registers of SSE, so handlers save these too.

use core::{
    arch::{asm, global_asm},
    cell::UnsafeCell,
    mem,
};

use crate::{
    apic,
    cpu::{self, CPUS},
    loads,
};

global_asm!(include_str!("interrupts.s"), options(att_syntax));

unsafe extern "C" {
    safe fn timer_entry();
    safe fn spurious_entry();
    safe fn exception_entries();
}

const CODE: u16 = 0x08;
const TASK: u16 = 0x18;
const STACK: usize = 16 << 10;

/// What the registers that point to tables are loaded from.
#[repr(C, packed)]
struct Pointer {
    limit: u16,
    start: u64,
}

impl Pointer {
    fn to<T>(table: *const T) -> Self {
        Self {
            limit: (size_of::<T>() - 1) as u16,
            start: table.addr() as u64,
        }
    }
}

/// The task state segment, of which only the stacks matter.
#[repr(C, packed(4))]
struct TaskState {
    reserved: u32,
    privileged_stacks: [u64; 3],
    reserved_too: u64,
    interrupt_stacks: [u64; 7],
    reserved_as_well: [u16; 5],
    ports: u16,
}

#[repr(C, align(16))]
struct Stack([u8; STACK]);

/// What each CPU needs of its own.
struct Tables {
    segments: [u64; 5],
    task: TaskState,
    interrupts: Stack,
    exceptions: Stack,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Gate {
    address_low: u16,
    segment: u16,
    stack: u8,
    kind: u8,
    address_middle: u16,
    address_high: u32,
    reserved: u32,
}

impl Gate {
    const NONE: Self = Self::to(0, 0, 0);

    /// The way to a handler that runs with interrupts masked.
    const fn to(handler: usize, stack: u8, kind: u8) -> Self {
        Self {
            address_low: handler as u16,
            segment: CODE,
            stack,
            kind,
            address_middle: (handler >> 16) as u16,
            address_high: (handler >> 32) as u32,
            reserved: 0,
        }
    }
}

/// A table that is written once, by the CPU that uses it first.
struct Table<T>(UnsafeCell<T>);

// SAFETY: only `install` writes, as it says there.
unsafe impl<T: Send> Sync for Table<T> {}

static TABLES: [Table<Tables>; CPUS] = [const {
    // SAFETY: numbers may be zero.
    Table(UnsafeCell::new(unsafe { mem::zeroed() }))
}; CPUS];
static GATES: Table<[Gate; 256]> = Table(UnsafeCell::new([Gate::NONE; 256]));

/// Sets the CPU that runs this up to have its interrupts and exceptions
/// handled. The first CPU does so before the others start.
pub fn install() {
    let index = cpu::index();
    let tables = TABLES[index].0.get();
    // SAFETY: the tables are this CPU's, which comes here once; the gates are
    // written before there are other CPUs. What the registers are pointed to
    // stays for ever.
    unsafe {
        if index == 0 {
            *GATES.0.get() = gates();
        }
        (*tables).task.interrupt_stacks[0] = end(&raw const (*tables).interrupts);
        (*tables).task.interrupt_stacks[1] = end(&raw const (*tables).exceptions);
        (*tables).task.ports = size_of::<TaskState>() as u16; // none
        (*tables).segments = segments(&raw const (*tables).task);
        asm!("lgdt [{}]", in(reg) &Pointer::to(&raw const (*tables).segments), options(nostack));
        asm!("ltr {:x}", in(reg) TASK, options(nostack));
        asm!("lidt [{}]", in(reg) &Pointer::to(GATES.0.get()), options(nostack));
    }
}

fn end<T>(thing: *const T) -> u64 {
    thing.wrapping_add(1).addr() as u64
}

/// The same segments as `boot.s` has, and that of the task state.
fn segments(task: *const TaskState) -> [u64; 5] {
    let base = task.addr() as u64;
    let limit = (size_of::<TaskState>() - 1) as u64;
    let low = limit | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
    [
        0,
        0x00af_9a00_0000_ffff,
        0x00cf_9200_0000_ffff,
        low,
        base >> 32,
    ]
}

fn gates() -> [Gate; 256] {
    const INTERRUPT_GATE: u8 = 0x8e;
    let mut gates = [Gate::NONE; 256];
    let first: extern "C" fn() = exception_entries;
    for (vector, gate) in gates[..32].iter_mut().enumerate() {
        *gate = Gate::to(first as usize + 16 * vector, 2, INTERRUPT_GATE);
    }
    let mut set = |vector: u8, handler: extern "C" fn(), stack| {
        gates[usize::from(vector)] = Gate::to(handler as usize, stack, INTERRUPT_GATE);
    };
    set(apic::TIMER, timer_entry, 1);
    set(apic::SPURIOUS, spurious_entry, 1);
    gates
}

/// Called by `interrupts.s`.
#[unsafe(no_mangle)]
extern "C" fn on_timer() {
    cpu::as_handler(loads::handler::run);
    apic::end_interrupt();
}

/// Called by `interrupts.s`.
#[unsafe(no_mangle)]
extern "C" fn on_exception(vector: u64, error: u64, instruction: u64) -> ! {
    panic!("exception {vector}, error code {error:#x}, at {instruction:#x}");
}
