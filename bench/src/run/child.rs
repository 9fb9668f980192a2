//! The two ends of a child process that runs one job.

use std::env;
use std::io::{Read, Write, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use wait_timeout::ChildExt;

use super::job::{Job, Outcome};
use crate::check;
use crate::machine::core_pin::pin;
use crate::workload::Bench;
use crate::{contender, workload};

/// The hidden sub-command that a child is started with.
pub const COMMAND: &str = "child";

/// How the reason begins when a child had to be ended.
pub const HANGS: &str = "hangs";

/// In the parent: runs `job` in a process of its own, for at most `patience`.
pub fn run(job: &Job, patience: Duration) -> Result<Outcome> {
    let mut child = Command::new(env::current_exe()?)
        .arg(COMMAND)
        .arg(serde_json::to_string(job)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a child process")?;
    let output = drain(child.stdout.take());
    let errors = drain(child.stderr.take());
    let Some(status) = child.wait_timeout(patience)? else {
        child.kill()?;
        child.wait()?;
        return Ok(Outcome::Failed(format!(
            "hangs (over {} s)",
            patience.as_secs()
        )));
    };
    let output = output.join().unwrap_or_default();
    let errors = errors.join().unwrap_or_default();
    Ok(serde_json::from_str(&output).unwrap_or_else(|_| Outcome::Failed(reason(status, &errors))))
}

/// Reads a pipe to its end, so that the child never waits for us.
fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read before an error is all there is to report.
            let _ = pipe.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Why a child ended without an outcome.
fn reason(status: ExitStatus, errors: &str) -> String {
    let last = errors
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty() && !line.starts_with("note:"));
    match (status.signal(), last) {
        _ if status.code() == Some(check::EXIT_CODE) => {
            format!("corrupts: {}", last.unwrap_or_default())
        }
        (Some(signal), _) => format!("crashes (signal {signal})"),
        (None, Some(message)) => format!("crashes: {message}"),
        (None, None) => format!("crashes ({status})"),
    }
}

/// In the child: does the job and prints the outcome.
pub fn serve(job: &str) -> Result<()> {
    let job: Job =
        serde_json::from_str(job).context("a child is started by the suite, not by hand")?;
    let outcome = match measure(&job) {
        Ok(measures) => Outcome::Measured(measures),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    stdout().write_all(serde_json::to_string(&outcome)?.as_bytes())?;
    Ok(())
}

fn measure(job: &Job) -> Result<workload::Measures> {
    pin(job.core).context("cannot pin to the core")?;
    let workload = workload::named(&job.workload).context("no such workload")?;
    let entry = contender::named(&job.contender).context("no such contender")?;
    let calls = if job.check {
        check::around(entry.calls)
    } else {
        entry.calls
    };
    workload.run(&Bench {
        case: &job.case,
        plan: &job.plan,
        entry,
        calls,
    })
}
