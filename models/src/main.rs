//! Model checks of `PerCpuAllocator`, with loom or with shuttle: small
//! scenarios that are run in every interleaving of their threads, or in many.

mod checker;
mod cpu;
mod deferred;
mod heap;
mod init;
mod interrupts;
mod lock;
mod no_false_null;
mod outbox;
mod realloc;
