//! The index: which word is where. It is built by threads of two kinds,
//! between which all words change hands:
//!
//! ```text
//!   files → readers, one file at a time → words by their hash → shards → one sorted map
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    files,
    text::{self, Line, Occurrences},
};

/// How many files' words may wait for a shard.
const WAITING: usize = 4;

/// The number of a file among those that were to be read.
pub type FileId = usize;

pub struct Index<'a> {
    /// What was to be read, and the directory that all of it is below.
    files: &'a [PathBuf],
    pub root: &'a Path,
    pub documents: BTreeMap<FileId, Document>,
    pub words: Words,
    /// Files that were not read, with the reason.
    pub left_out: Vec<(PathBuf, String)>,
}

/// What is kept of a file besides its words.
pub struct Document {
    pub bytes: usize,
    pub lines: Vec<Line>,
}

/// Each word, and which files have it in which lines.
pub type Words = BTreeMap<String, Vec<Posting>>;

#[derive(Debug, PartialEq)]
pub struct Posting {
    pub file: FileId,
    /// One number for every time that the word occurs.
    pub lines: Vec<u32>,
}

/// Words of one file, on their way to a shard.
type Portion = (FileId, Vec<(String, Vec<u32>)>);
type Reading = (FileId, Result<Document, String>);
type Shard = HashMap<String, Vec<Posting>>;

impl<'a> Index<'a> {
    /// Reads the files with that many readers and collects their words in as
    /// many shards.
    pub fn build(files: &'a [PathBuf], threads: usize) -> Self {
        let next = AtomicUsize::new(0);
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..threads).map(|_| sync_channel(WAITING)).unzip();
        thread::scope(|scope| {
            let shards: Vec<_> = receivers
                .into_iter()
                .map(|portions| scope.spawn(|| collect(portions)))
                .collect();
            let readers: Vec<_> = (0..threads)
                .map(|_| {
                    let (next, senders) = (&next, senders.clone());
                    scope.spawn(move || read(files, next, &senders))
                })
                .collect();
            // A shard ends when the last reader did.
            drop(senders);
            let readings = readers
                .into_iter()
                .flat_map(|reader| reader.join().expect("a reader panicked"));
            let mut index = Self::of_readings(files, readings);
            for shard in shards {
                index.words.extend(shard.join().expect("a shard panicked"));
            }
            index
        })
    }

    fn of_readings(files: &'a [PathBuf], readings: impl Iterator<Item = Reading>) -> Self {
        let mut index = Self {
            files,
            root: files::root(files),
            documents: BTreeMap::new(),
            words: Words::new(),
            left_out: Vec::new(),
        };
        for (file, reading) in readings {
            match reading {
                Ok(document) => {
                    index.documents.insert(file, document);
                }
                Err(reason) => index.left_out.push((files[file].clone(), reason)),
            }
        }
        index.left_out.sort();
        index
    }

    pub fn path(&self, file: FileId) -> &Path {
        &self.files[file]
    }

    /// The path of a file from the root on.
    pub fn name(&self, file: FileId) -> String {
        let path = self.path(file);
        path.strip_prefix(self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// The lines that have all the words of a query, by file.
    pub fn find(&self, query: &str) -> BTreeSet<(FileId, u32)> {
        text::words(query)
            .map(|word| self.places(&word))
            .reduce(|all, more| &all & &more)
            .unwrap_or_default()
    }

    fn places(&self, word: &str) -> BTreeSet<(FileId, u32)> {
        let postings = self.words.get(word).into_iter().flatten();
        postings
            .flat_map(|posting| posting.lines.iter().map(|&line| (posting.file, line)))
            .collect()
    }
}

/// How often a word occurs in all.
pub fn occurrences(postings: &[Posting]) -> usize {
    postings.iter().map(|posting| posting.lines.len()).sum()
}

/// A reader: takes files until there are no more.
fn read(files: &[PathBuf], next: &AtomicUsize, shards: &[SyncSender<Portion>]) -> Vec<Reading> {
    let mut readings = Vec::new();
    loop {
        let file = next.fetch_add(1, Ordering::Relaxed);
        let Some(path) = files.get(file) else {
            return readings;
        };
        let document = text::read(path).map(|text| {
            distribute(file, text::occurrences(&text), shards);
            Document {
                bytes: text.len(),
                lines: text::lines(&text),
            }
        });
        readings.push((file, document));
    }
}

/// Sends each word to the shard that is in charge of it.
fn distribute(file: FileId, occurrences: Occurrences, shards: &[SyncSender<Portion>]) {
    let mut portions: Vec<_> = shards.iter().map(|_| Vec::new()).collect();
    for (word, lines) in occurrences {
        let shard = text::fingerprint(&word) as usize % shards.len();
        portions[shard].push((word, lines));
    }
    for (shard, words) in shards.iter().zip(portions) {
        shard
            .send((file, words))
            .expect("a shard ended before its readers");
    }
}

/// A shard: merges what the readers send.
fn collect(portions: Receiver<Portion>) -> Shard {
    let mut shard = Shard::new();
    for (file, words) in portions {
        for (word, lines) in words {
            shard.entry(word).or_default().push(Posting { file, lines });
        }
    }
    for postings in shard.values_mut() {
        postings.sort_by_key(|posting| posting.file);
    }
    shard
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_files() -> Vec<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/concordance");
        ["files.rs", "text.rs", "heap.rs", "missing.rs"]
            .map(|name| here.join(name))
            .into()
    }

    #[test]
    fn a_shard_merges_portions_that_come_in_any_order() {
        let (sender, receiver) = sync_channel(2);
        sender
            .send((7, vec![("free".to_owned(), vec![3, 3])]))
            .unwrap();
        sender
            .send((2, vec![("free".to_owned(), vec![1])]))
            .unwrap();
        drop(sender);
        let shard = collect(receiver);
        let expected = [
            Posting {
                file: 2,
                lines: vec![1],
            },
            Posting {
                file: 7,
                lines: vec![3, 3],
            },
        ];
        assert_eq!(shard["free"], expected);
        assert_eq!(occurrences(&shard["free"]), 3);
    }

    #[test]
    fn the_index_does_not_depend_on_the_number_of_threads() {
        let files = own_files();
        let one = Index::build(&files, 1);
        let many = Index::build(&files, 5);
        assert_eq!(one.words, many.words);
        assert_eq!(one.documents.len(), 3);
        assert_eq!(many.left_out.len(), 1);
    }

    #[test]
    fn a_query_finds_the_lines_that_have_all_its_words() {
        let files = own_files();
        let index = Index::build(&files, 2);
        assert!(index.find("entries").len() > index.find("entries directory").len());
        let found = index.find("hidden SYMBOLIC links");
        let (file, line) = *found.first().unwrap();
        let text = text::read(index.path(file)).unwrap();
        assert!(
            text.lines()
                .nth(line as usize - 1)
                .unwrap()
                .contains("symbolic links")
        );
    }
}
