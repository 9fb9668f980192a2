//! Lines of text on the first serial port.

use core::fmt::{self, Write};

use crate::{masking_lock::Mutex, port};

static PORT: Mutex<Port> = Mutex::new(Port);

struct Port;

impl Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while port::read(0x3fd) & 0x20 == 0 {}
            port::write(0x3f8, byte);
        }
        Ok(())
    }
}

/// Prints a line that no other CPU's line mixes with.
macro_rules! println {
    ($($arguments:tt)*) => { $crate::serial::print(format_args!($($arguments)*)) };
}
pub(crate) use println;

pub fn print(line: fmt::Arguments) {
    // Nothing can be done about a port that does not print.
    let _ = writeln!(PORT.lock(), "{line}");
}

/// As `print`, for a CPU that may have stopped amid a line.
pub fn print_at_once(line: fmt::Arguments) {
    let _ = writeln!(Port, "\n{line}");
}
