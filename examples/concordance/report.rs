//! What is printed.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    heap::{REGION, Snapshot},
    index::{FileId, Index, occurrences},
    passages::{self, Repetition},
    slips::Slip,
    table::{number, size, table},
    text,
};

/// How many rows a table has at most.
const ROWS: usize = 10;
/// From how many letters on a word may say what a text is about.
const TELLING: usize = 4;

/// For each reason the first file and how many more there are.
pub fn left_out(out: &mut impl Write, files: &[(PathBuf, String)]) -> io::Result<()> {
    let mut reasons: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (path, reason) in files {
        reasons.entry(reason).or_default().push(path.display());
    }
    for (reason, paths) in reasons {
        match paths.len() - 1 {
            0 => writeln!(out, "left out: {}: {reason}", paths[0])?,
            more => writeln!(
                out,
                "left out: {} and {} more: {reason}",
                paths[0],
                number(more)
            )?,
        }
    }
    Ok(())
}

pub fn summary(
    out: &mut impl Write,
    index: &Index,
    threads: usize,
    time: Duration,
) -> io::Result<()> {
    let documents = || index.documents.values();
    let words = index
        .words
        .values()
        .map(|postings| occurrences(postings))
        .sum();
    writeln!(
        out,
        "{} files below {}, {} of text: {} lines, {} words, {} different; {} threads, {:.2} s",
        number(index.documents.len()),
        Path::new(".").join(index.root).display(),
        size(documents().map(|document| document.bytes).sum()),
        number(documents().map(|document| document.lines.len()).sum()),
        number(words),
        number(index.words.len()),
        2 * threads,
        time.as_secs_f64(),
    )
}

pub fn frequent(out: &mut impl Write, index: &Index) -> io::Result<()> {
    let mut counted: Vec<_> = index
        .words
        .iter()
        .filter(|(word, _)| telling(word))
        .map(|(word, postings)| (occurrences(postings), postings.len(), word))
        .collect();
    counted.sort_by_key(|&(times, ..)| usize::MAX - times);
    let rows = counted.into_iter().take(ROWS).map(|(times, files, word)| {
        [
            word.clone(),
            format!("{} times", number(times)),
            format!("{} files", number(files)),
        ]
    });
    table(out, "The most frequent words", rows)
}

/// For each of the largest files the words that are frequent in it and in few
/// others.
pub fn subjects(out: &mut impl Write, index: &Index) -> io::Result<()> {
    let mut words = weighed_words(index);
    let mut largest: Vec<_> = index.documents.iter().collect();
    largest.sort_by_key(|(_, document)| usize::MAX - document.bytes);
    let rows = largest.into_iter().take(ROWS).map(|(file, document)| {
        let mut weighed = words.remove(file).unwrap_or_default();
        weighed.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let subject: Vec<_> = weighed.iter().take(5).map(|(_, word)| *word).collect();
        [index.name(*file), size(document.bytes), subject.join(", ")]
    });
    table(out, "What the largest files are about", rows)
}

/// The words of each file with the weight that they have in it.
fn weighed_words<'a>(index: &'a Index) -> HashMap<FileId, Vec<(f64, &'a str)>> {
    let mut words: HashMap<_, Vec<_>> = HashMap::new();
    for (word, postings) in index.words.iter().filter(|(word, _)| telling(word)) {
        let rarity = (index.documents.len() as f64 / postings.len() as f64).ln();
        for posting in postings {
            let weight = posting.lines.len() as f64 * rarity;
            words
                .entry(posting.file)
                .or_default()
                .push((weight, word.as_str()));
        }
    }
    words
}

pub fn slips(out: &mut impl Write, index: &Index, slips: &[Slip]) -> io::Result<()> {
    let rows = slips.iter().take(ROWS).map(|slip| {
        let posting = &index.words[slip.written][0];
        let place = place(index, (posting.file, posting.lines[0]));
        [slip.written.to_owned(), format!("{}?", slip.meant), place]
    });
    table(
        out,
        "Perhaps misspelt: rare words one letter away from frequent ones",
        rows,
    )
}

pub fn repetitions(
    out: &mut impl Write,
    index: &Index,
    repetitions: &[Repetition],
) -> io::Result<()> {
    let rows = repetitions.iter().take(ROWS).map(|repetition| {
        [
            format!("{} lines", number(repetition.lines)),
            place(index, repetition.copy),
            place(index, repetition.original),
        ]
    });
    let title = format!(
        "Passages of {} lines and more that stand in two places",
        passages::SHORTEST
    );
    table(out, &title, rows)
}

pub fn found(out: &mut impl Write, index: &Index, query: &str) -> io::Result<()> {
    let places = index.find(query);
    let rows = places
        .iter()
        .take(ROWS)
        .map(|&at| [place(index, at), line(index, at)]);
    table(
        out,
        &format!("\"{query}\" is in {} lines", number(places.len())),
        rows,
    )
}

/// A line, from its file, which may have changed since it was read.
fn line(index: &Index, (file, number): (FileId, u32)) -> String {
    let text = text::read(index.path(file)).unwrap_or_default();
    let line = text.lines().nth(number as usize - 1);
    line.unwrap_or("(the file has changed)").trim().to_owned()
}

/// The heap when it was fullest and when all was freed.
pub fn heap(out: &mut impl Write, peak: &Snapshot, freed: &Snapshot) -> io::Result<()> {
    let row = |what: &str, bytes: fn(&Snapshot) -> usize| {
        [what.to_owned(), size(bytes(peak)), size(bytes(freed))]
    };
    let rows = [
        ["", "at the peak", "all freed"].map(str::to_owned),
        row("live, as the program asked", |heap| heap.counts.live),
        row("live, as the heap rounds it", |heap| heap.stats.live),
        row("parked for requests of the same size", |heap| {
            heap.stats.parked
        }),
        row("free", |heap| heap.stats.free),
        row("largest free chunk", |heap| heap.stats.largest_free),
        row("all but the largest free chunk", Snapshot::in_use),
    ];
    table(
        out,
        &format!("The heap, one static region of {}", size(REGION)),
        rows.into_iter(),
    )?;
    let counts = freed.counts;
    writeln!(
        out,
        "\n  {} live at most, {:.1} % lost to fragmentation then\n  \
         {} allocations, {} frees, {} resizes of which {} moved the block",
        size(counts.peak),
        100.0 * peak.lost(),
        number(counts.allocations),
        number(counts.frees),
        number(counts.resizes),
        number(counts.moves),
    )
}

fn telling(word: &str) -> bool {
    word.chars().count() >= TELLING
}

fn place(index: &Index, (file, line): (FileId, u32)) -> String {
    format!("{}:{line}", index.name(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HEAP;

    fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn files_are_left_out_by_reasons() {
        let files = [("a", "binary"), ("b", "no access"), ("c", "binary")];
        let files = files.map(|(path, reason)| (path.into(), reason.to_owned()));
        assert_eq!(
            printed(|out| left_out(out, &files)),
            "left out: a and 1 more: binary\nleft out: b: no access\n"
        );
    }

    #[test]
    fn the_heap_is_told_in_figures() {
        let mut snapshot = HEAP.snapshot();
        snapshot.stats.capacity = 4000;
        snapshot.stats.live = 900;
        snapshot.stats.largest_free = 3000;
        snapshot.counts.peak = 5 << 20;
        snapshot.counts.allocations = 1234;
        let report = printed(|out| heap(out, &snapshot, &snapshot));
        assert!(report.contains("5.0 MiB live at most, 10.0 % lost to fragmentation"));
        assert!(report.contains("1,234 allocations"));
    }
}
