//! The program that callgrind runs.

use std::collections::BTreeMap;
use std::ffi::CString;

use anyhow::{Context, Result, ensure};

use super::cases::ALL;
use super::requests;
use crate::contender::{self, NOOP};
use crate::machine::region::Region;
use crate::trace::file;

const HEAP: usize = 1 << 30;

/// Does each case with its contender and with none, and has callgrind write what it counted under the title
/// `CASE CONTENDER OPERATIONS`, where the case is its place in the list.
pub fn run() -> Result<()> {
    let mut traces = BTreeMap::new();
    for path in file::bundled()? {
        let name = file::name(&path);
        if ALL.iter().any(|case| case.trace() == Some(&name)) {
            traces.insert(name, file::load(&path)?);
        }
    }
    let heap = Region::map(HEAP)?;
    for (place, case) in ALL.iter().enumerate() {
        let trace = case.trace().and_then(|name| traces.get(name));
        for name in [case.contender, NOOP] {
            let contender = contender::named(name).context("no such contender")?;
            // SAFETY: there is one thread, and the blocks of the case before are forgotten.
            let lives = unsafe { contender.reset(heap) };
            ensure!(lives, "{name} cannot live in this heap");
            requests::start();
            let operations = case.run(contender.calls, trace)?;
            requests::dump(&CString::new(format!("{place} {name} {operations}"))?);
            requests::stop();
        }
    }
    Ok(())
}
