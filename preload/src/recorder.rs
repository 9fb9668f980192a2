//! The buffer of events, and the file that it goes to.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::event::Event;

/// The environment variable that names the folder.
const VARIABLE: &CStr = c"GALLOC_RECORD";
const CAPACITY: usize = 1 << 15;

struct Recorder {
    held: AtomicBool,
    inner: UnsafeCell<Inner>,
}

struct Inner {
    /// Negative until there is a file, and again after a fork, in the child.
    file: i32,
    used: usize,
    events: [Event; CAPACITY],
}

// SAFETY: `inner` is only used by whoever holds the lock.
unsafe impl Sync for Recorder {}

static RECORDER: Recorder = Recorder {
    held: AtomicBool::new(false),
    inner: UnsafeCell::new(Inner {
        file: -1,
        used: 0,
        events: [Event::NONE; CAPACITY],
    }),
};

/// Makes a call and records it, both under one lock, so that the order is the order in which blocks came and went.
pub fn recorded<T>(call: impl FnOnce() -> (T, Event)) -> T {
    RECORDER.with(|inner| {
        let (result, event) = call();
        inner.push(event);
        result
    })
}

impl Recorder {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        self.lock();
        // SAFETY: the lock is held.
        let result = work(unsafe { &mut *self.inner.get() });
        self.unlock();
        result
    }

    fn lock(&self) {
        while self.held.swap(true, Ordering::Acquire) {
            spin_loop();
        }
    }

    fn unlock(&self) {
        self.held.store(false, Ordering::Release);
    }
}

impl Inner {
    fn push(&mut self, event: Event) {
        if self.file < 0 || event.is_none() {
            return;
        }
        self.events[self.used] = event;
        self.used += 1;
        if self.used == CAPACITY {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let mut bytes: *const u8 = self.events.as_ptr().cast();
        let mut left = self.used * size_of::<Event>();
        while left > 0 {
            // SAFETY: so many bytes are left of the events.
            let written = unsafe { libc::write(self.file, bytes.cast(), left) };
            let Ok(written @ 1..) = usize::try_from(written) else {
                // There is nobody to tell, and the program must go on.
                break;
            };
            bytes = bytes.wrapping_add(written);
            left -= written;
        }
        self.used = 0;
    }
}

/// Before the program begins: opens the file of this process.
extern "C" fn begin() {
    // SAFETY: nothing else runs yet, so nobody changes the environment; the variable ends with a zero.
    unsafe {
        let folder = libc::getenv(VARIABLE.as_ptr());
        if !folder.is_null() {
            libc::pthread_atfork(
                Some(before_fork),
                Some(after_fork_in_parent),
                Some(after_fork_in_child),
            );
            let file = open(CStr::from_ptr(folder));
            RECORDER.with(|inner| inner.file = file);
        }
    }
}

/// A new file, named after the process, and numbered, as a process can become another program. Negative if there is none.
fn open(folder: &CStr) -> i32 {
    const NEW: i32 = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    for number in 0..100 {
        let mut path = [0; libc::PATH_MAX as usize];
        // SAFETY: the format fits its arguments, and the path is as long as it says.
        let file = unsafe {
            libc::snprintf(
                path.as_mut_ptr(),
                path.len(),
                c"%s/%d-%d".as_ptr(),
                folder.as_ptr(),
                libc::getpid(),
                number,
            );
            libc::open(path.as_ptr(), NEW, 0o644)
        };
        if file >= 0 {
            return file;
        }
    }
    -1
}

/// When the program ends.
extern "C" fn end() {
    RECORDER.with(Inner::flush);
}

extern "C" fn before_fork() {
    RECORDER.lock();
}

extern "C" fn after_fork_in_parent() {
    RECORDER.unlock();
}

extern "C" fn after_fork_in_child() {
    // SAFETY: the lock was taken before the fork.
    unsafe { (*RECORDER.inner.get()).file = -1 };
    RECORDER.unlock();
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;
