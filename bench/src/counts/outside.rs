//! Running callgrind, and reading what it writes.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::cases::ALL;
use super::table::{Figures, Row};
use crate::contender::NOOP;

/// What callgrind counted in one case with one contender.
struct Dump {
    case: usize,
    contender: String,
    /// For one operation.
    figures: Figures,
}

/// The figures of every case, net of what the calls themselves take.
pub fn measure() -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())?;
    let mut dumps = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        dumps.extend(read(&fs::read_to_string(entry?.path())?));
    }
    let find = |place: usize, contender: &str| {
        let dump = dumps
            .iter()
            .find(|dump| dump.case == place && dump.contender == contender);
        dump.map(|dump| dump.figures).with_context(|| {
            format!(
                "callgrind wrote nothing of {contender}, {}",
                ALL[place].name
            )
        })
    };
    ALL.iter()
        .enumerate()
        .map(|(place, case)| {
            let (gross, calls) = (find(place, case.contender)?, find(place, NOOP)?);
            Ok(Row {
                contender: case.contender.to_owned(),
                case: case.name.to_owned(),
                figures: gross.less(calls),
            })
        })
        .collect()
}

/// Caches are stated, so that it is not those of this machine that are simulated, and nothing of the environment gets in,
/// so that the stack is where it always is.
fn run(folder: &Path) -> Result<()> {
    let mut command = Command::new("valgrind");
    command
        .args([
            "--tool=callgrind",
            "--quiet",
            "--instr-atstart=no",
            "--collect-atstart=no",
            "--cache-sim=yes",
            "--branch-sim=yes",
            "--I1=32768,8,64",
            "--D1=32768,8,64",
            "--LL=1048576,16,64",
        ])
        .arg(format!(
            "--callgrind-out-file={}",
            folder.join("out").display()
        ))
        .arg(env::current_exe()?)
        .args(["counts", "--inside"])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    let output = command
        .output()
        .context("cannot run valgrind; install it, on Debian with 'scripts/setup valgrind'")?;
    // It also warns that the caches which were asked for are not this machine's.
    ensure!(
        output.status.success(),
        "valgrind ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A dump's figures; nothing if it is one that callgrind makes of its own accord.
fn read(text: &str) -> Option<Dump> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let mut title = line("desc: Trigger: Client Request: ")?.split(' ');
    let case = title.next()?.parse().ok()?;
    let contender = title.next()?.to_owned();
    let operations: f64 = title.next()?.parse().ok()?;
    let counts: Vec<f64> = line("totals: ")?
        .split(' ')
        .filter_map(|count| count.parse().ok())
        .collect();
    let sum = |events: &[&str]| {
        let names = line("events: ").unwrap_or_default().split(' ');
        let chosen = names
            .zip(&counts)
            .filter(|(name, _)| events.contains(name))
            .map(|(_, count)| count);
        chosen.sum::<f64>() / operations
    };
    Some(Dump {
        case,
        contender,
        figures: Figures([
            sum(&["Ir"]),
            sum(&["Bcm", "Bim"]),
            sum(&["I1mr", "D1mr", "D1mw"]),
            sum(&["ILmr", "DLmr", "DLmw"]),
        ]),
    })
}
