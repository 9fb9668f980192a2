//! Signals that stand in for interrupts.

use std::{cell::Cell, mem, ptr, sync::mpsc, thread, time::Duration};

const SIGNAL: libc::c_int = libc::SIGUSR1;

/// From one interrupt to the next, in nanoseconds.
const INTERVAL: libc::c_long = 30_000;

/// How long a test may take that has not deadlocked.
const LIMIT: Duration = Duration::from_secs(120);

thread_local! {
    static HANDLER: Cell<Option<*const dyn Fn()>> = const { Cell::new(None) };
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller is in a handler.
pub fn in_handler() -> bool {
    IN_HANDLER.get()
}

/// Keeps this thread from being interrupted, or lets it be again.
pub fn mask(masked: bool) {
    let how = if masked {
        libc::SIG_BLOCK
    } else {
        libc::SIG_UNBLOCK
    };
    // SAFETY: the set is written before it is read.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, SIGNAL);
        libc::pthread_sigmask(how, &set, ptr::null_mut());
    }
}

/// Does something again and again, until this thread was interrupted so many
/// times by a handler, which must not panic, nor allocate from the system.
pub fn interrupted(times: usize, handler: impl Fn(), mut act: impl FnMut()) {
    let count = Cell::new(0);
    let counting = || {
        count.set(count.get() + 1);
        handler();
    };
    let handler: *const (dyn Fn() + '_) = &counting;
    // SAFETY: only the lifetime changes; the handler is forgotten below.
    HANDLER.set(Some(unsafe {
        mem::transmute::<*const (dyn Fn() + '_), *const (dyn Fn() + 'static)>(handler)
    }));
    let timer = Timer::start();
    while count.get() < times {
        act();
    }
    drop(timer);
    HANDLER.set(None);
}

extern "C" fn on_signal(_signal: libc::c_int) {
    if let Some(handler) = HANDLER.get() {
        IN_HANDLER.set(true);
        // SAFETY: `interrupted` keeps the handler for as long as it is here.
        unsafe { (*handler)() };
        IN_HANDLER.set(false);
    }
}

/// What sends signals to the thread that made it.
struct Timer(libc::timer_t);

impl Timer {
    fn start() -> Self {
        let interval = libc::timespec {
            tv_sec: 0,
            tv_nsec: INTERVAL,
        };
        let times = libc::itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        // SAFETY: the handler is of the kind that the action says, and all
        // that is passed is written before it is read.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            assert_eq!(libc::sigaction(SIGNAL, &action, ptr::null_mut()), 0);
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = mem::zeroed();
            let made = libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer);
            assert_eq!(made, 0, "no timer");
            assert_eq!(libc::timer_settime(timer, 0, &times, ptr::null_mut()), 0);
            Self(timer)
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer is deleted once.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Runs so many threads; aborts the process if they do not come to an end.
pub fn on_threads(threads: usize, run: impl Fn(usize) + Sync) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = thread::current().name().map(str::to_owned);
    let watchdog = thread::spawn(move || {
        if is_done.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{name:?} has deadlocked");
            std::process::abort();
        }
    });
    thread::scope(|scope| {
        let run = &run;
        for number in 0..threads {
            scope.spawn(move || run(number));
        }
    });
    drop(done);
    watchdog.join().unwrap();
}
