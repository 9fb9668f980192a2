//! A concordance: reads text files with several threads and tells what is in
//! them: which words are frequent, what each file is about, which words may be
//! misspelt, which passages stand there twice, and where words are found.
//!
//! ```text
//! cargo run --release --example concordance                       this project's own files
//! cargo run --release --example concordance -- ~/notes src/       other files and directories
//! cargo run --release --example concordance -- --find "free chunk"
//! ```
//!
//! Every allocation, the standard library's included, comes from one static
//! region of 256 MiB; only what the operating system's own library keeps for
//! itself, such as threads' stacks, does not. At the end the program says what
//! its heap did. To see a heap that is too small, give it less when compiling:
//!
//! ```text
//! GALLOC_HEAP=300K cargo run --release --example concordance
//! ```

mod files;
mod heap;
mod index;
mod passages;
mod report;
mod slips;
mod table;
mod text;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Instant,
};

use heap::HEAP;
use index::Index;

const USAGE: &str = "\
usage: concordance [--find WORDS]... [--threads NUMBER] [PATH]...

  PATH              a text file, or a directory of them; this project's, if none is given
  --find WORDS      show lines that have all these words
  --threads NUMBER  read with that many threads, and collect with as many; 2 to 8 by default";

/// The files to read if none are named: this project's own.
const OWN: &str = env!("CARGO_MANIFEST_DIR");

struct Options {
    paths: Vec<PathBuf>,
    queries: Vec<String>,
    threads: usize,
}

impl Options {
    /// Reads the arguments; the error is what is wrong with them.
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self {
            paths: Vec::new(),
            queries: Vec::new(),
            threads: default_threads(),
        };
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy();
            let mut value = || match arguments.next() {
                Some(value) => Ok(value.to_string_lossy().into_owned()),
                None => Err(format!("{name} needs a value")),
            };
            match &*name {
                "--find" => options.queries.push(value()?),
                "--threads" => options.threads = threads(&value()?)?,
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}"));
                }
                _ => options.paths.push(argument.into()),
            }
        }
        if options.paths.is_empty() {
            options.paths.push(OWN.into());
        }
        Ok(options)
    }
}

fn default_threads() -> usize {
    thread::available_parallelism().map_or(2, |number| number.get().clamp(2, 8))
}

fn threads(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err(format!(
            "--threads takes a number from 1 to 64, not {value}"
        )),
    }
}

fn main() -> ExitCode {
    // Standard output takes its buffer from the heap now, while there surely
    // is room: it is needed even to exit.
    let mut out = io::stdout().lock();
    let options = match Options::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("concordance: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let result = run(&mut out, &options).and_then(|()| {
        drop(options);
        let freed = HEAP.snapshot();
        report::heap(&mut out, &HEAP.at_peak().unwrap_or(freed), &freed)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("concordance: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the index and prints what it tells.
fn run(out: &mut impl Write, options: &Options) -> io::Result<()> {
    let start = Instant::now();
    let (files, unknown) = files::below(&options.paths);
    let mut index = Index::build(&files, options.threads);
    index.left_out.extend(unknown);
    report::left_out(&mut io::stderr(), &index.left_out)?;
    if index.documents.is_empty() {
        return Err(io::Error::other(
            "no text found: name text files, or directories that have some",
        ));
    }
    let repetitions = passages::repeated(&index.documents);
    let slips = slips::slips(&index.words);
    let time = start.elapsed();
    report::summary(out, &index, options.threads, time)?;
    report::frequent(out, &index)?;
    report::subjects(out, &index)?;
    report::slips(out, &index, &slips)?;
    report::repetitions(out, &index, &repetitions)?;
    for query in &options.queries {
        report::found(out, &index, query)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn arguments_are_paths_and_options() {
        let options = parse(&["a.txt", "--find", "free chunk", "--threads", "3", "b"]).unwrap();
        assert_eq!(options.paths, [PathBuf::from("a.txt"), PathBuf::from("b")]);
        assert_eq!(options.queries, ["free chunk"]);
        assert_eq!(options.threads, 3);
    }

    #[test]
    fn without_paths_the_projects_own_files_are_read() {
        assert_eq!(parse(&[]).unwrap().paths, [PathBuf::from(OWN)]);
    }

    #[test]
    fn wrong_arguments_are_named() {
        let error = |arguments| parse(arguments).err().unwrap();
        assert_eq!(error(&["--find"]), "--find needs a value");
        assert_eq!(error(&["--files"]), "unknown option --files");
        assert_eq!(
            error(&["--threads", "no"]),
            "--threads takes a number from 1 to 64, not no"
        );
    }
}
