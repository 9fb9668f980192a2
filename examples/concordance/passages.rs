//! Passages that stand in two places.

use std::collections::{BTreeMap, HashMap};

use crate::{
    index::{Document, FileId},
    text::{self, Line},
};

/// From how many lines on two equal passages are worth a word.
pub const SHORTEST: usize = 6;

/// Lines that say what others said before them.
#[derive(Debug, PartialEq)]
pub struct Repetition {
    pub lines: usize,
    /// Where the passage begins, and where it began the first time.
    pub copy: (FileId, u32),
    pub original: (FileId, u32),
}

/// All repetitions, longest first.
pub fn repeated(documents: &BTreeMap<FileId, Document>) -> Vec<Repetition> {
    let mut found = Vec::new();
    // Where each run of `SHORTEST` lines was seen first: file and position.
    let mut seen = HashMap::new();
    for (&file, document) in documents {
        let lines = &document.lines;
        let mut at = 0;
        while let Some(run) = lines.get(at..at + SHORTEST) {
            let first = *seen.entry(fingerprint(run)).or_insert((file, at));
            match common(documents, first, (file, at)) {
                // Too little only if this run is its own first, or overlaps it.
                length if length < SHORTEST => at += 1,
                length => {
                    let original = (first.0, documents[&first.0].lines[first.1].number);
                    found.push(Repetition {
                        lines: length,
                        copy: (file, lines[at].number),
                        original,
                    });
                    at += length;
                }
            }
        }
    }
    found.sort_by_key(|repetition| usize::MAX - repetition.lines);
    found
}

/// How many lines from a first and a second place on are equal without
/// meeting.
fn common(
    documents: &BTreeMap<FileId, Document>,
    first: (FileId, usize),
    second: (FileId, usize),
) -> usize {
    let original = &documents[&first.0].lines[first.1..];
    let copy = &documents[&second.0].lines[second.1..];
    let most = if first.0 == second.0 {
        second.1 - first.1
    } else {
        usize::MAX
    };
    original
        .iter()
        .zip(copy)
        .take(most)
        .take_while(|(one, other)| one.fingerprint == other.fingerprint)
        .count()
}

fn fingerprint(run: &[Line]) -> u64 {
    let lines: Vec<u64> = run.iter().map(|line| line.fingerprint).collect();
    text::fingerprint(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(texts: &[&str]) -> BTreeMap<FileId, Document> {
        let document = |text: &&str| Document {
            bytes: text.len(),
            lines: text::lines(text),
        };
        texts.iter().map(document).enumerate().collect()
    }

    #[test]
    fn the_longest_common_passage_is_found_once() {
        let found = repeated(&documents(&[
            "x\na\nb\nc\nd\ne\nf\ng\ny",
            "v\n\nw\na\nb\nc\n d\ne\nf\ng\nz",
        ]));
        assert_eq!(
            found,
            [Repetition {
                lines: 7,
                copy: (1, 4),
                original: (0, 2)
            }]
        );
    }

    #[test]
    fn short_passages_do_not_count() {
        assert_eq!(
            repeated(&documents(&["a\nb\nc\nd\ne", "a\nb\nc\nd\ne"])),
            []
        );
    }

    #[test]
    fn a_passage_does_not_overlap_its_repetition() {
        let found = repeated(&documents(&["a\n".repeat(20).as_str()]));
        let repetition = |lines, number| Repetition {
            lines,
            copy: (0, number),
            original: (0, 1),
        };
        assert_eq!(found, [repetition(8, 13), repetition(6, 7)]);
    }
}
