//! Words that may be misspelt: rare, and one letter away from a frequent one.

use std::collections::HashMap;

use crate::index::{Words, occurrences};

/// Shorter words resemble each other too often.
const SHORTEST: usize = 6;
/// How much more frequent the other word is.
const TIMES: usize = 10;
/// Rare is a word that does not occur more often than this.
const RARE: usize = 2;

pub struct Slip<'a> {
    pub written: &'a str,
    pub meant: &'a str,
    /// How often that word occurs.
    pub times: usize,
}

/// The rare words that resemble a frequent one, most frequent first.
pub fn slips(words: &Words) -> Vec<Slip<'_>> {
    let long = |word: &str| word.chars().count() >= SHORTEST;
    let counted = words
        .iter()
        .map(|(word, postings)| (word.as_str(), occurrences(postings)));
    let (rare, frequent): (Vec<_>, Vec<_>) = counted
        .filter(|(word, _)| long(word))
        .partition(|(_, times)| *times <= RARE);
    let near = Neighbours::of(frequent.into_iter().filter(|(_, times)| *times >= TIMES));
    let mut found: Vec<_> = rare
        .into_iter()
        .filter_map(|(word, _)| near.slip(word))
        .collect();
    found.sort_by_key(|slip| usize::MAX - slip.times);
    found
}

/// Words by themselves and by everything that is left of them without one
/// letter: two words one letter apart have one of these in common.
struct Neighbours<'a>(HashMap<String, Vec<(&'a str, usize)>>);

impl<'a> Neighbours<'a> {
    fn of(words: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut near: HashMap<_, Vec<_>> = HashMap::new();
        for (word, times) in words {
            for rest in remains(word) {
                near.entry(rest).or_default().push((word, times));
            }
        }
        Self(near)
    }

    /// The most frequent word that this one may have been meant to be.
    fn slip(&self, written: &'a str) -> Option<Slip<'a>> {
        remains(written)
            .filter_map(|rest| self.0.get(&rest))
            .flatten()
            .filter(|(word, _)| resemble(written, word))
            .max_by_key(|(_, times)| *times)
            .map(|&(meant, times)| Slip {
                written,
                meant,
                times,
            })
    }
}

/// A word, and the word without each of its letters.
fn remains(word: &str) -> impl Iterator<Item = String> {
    let without =
        |(at, letter): (usize, char)| [&word[..at], &word[at + letter.len_utf8()..]].concat();
    std::iter::once(word.to_owned()).chain(word.char_indices().map(without))
}

/// Whether two words differ by one letter, added, changed or swapped with the
/// next, that is neither the first nor among the last two, where words are
/// inflected.
fn resemble(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    let before = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let after = one
        .iter()
        .rev()
        .zip(other.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let after = after.min(shorter - before);
    let apart = longer - before - after;
    let swapped = || one[before] == other[before + 1] && one[before + 1] == other[before];
    before >= 1 && after >= 2 && (apart == 1 || (apart == 2 && shorter == longer && swapped()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Posting;

    #[test]
    fn one_letter_added_changed_or_swapped_makes_words_alike() {
        assert!(resemble("alocator", "allocator"));
        assert!(resemble("receive", "recieve"));
        assert!(resemble("memary", "memory"));
    }

    #[test]
    fn inflections_and_other_words_are_not_alike() {
        assert!(!resemble("allocators", "allocator"));
        assert!(!resemble("offset", "onset"));
        assert!(!resemble("locked", "blocked"));
        assert!(!resemble("memory", "memory"));
    }

    #[test]
    fn a_rare_word_near_a_frequent_one_is_a_slip() {
        let posting = |times| {
            vec![Posting {
                file: 0,
                lines: vec![1; times],
            }]
        };
        let words = [
            ("allocator", 40),
            ("alocator", 1),
            ("allocated", 9),
            ("region", 1),
        ];
        let words = words
            .map(|(word, times)| (word.to_owned(), posting(times)))
            .into();
        let found = slips(&words);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].written, found[0].meant, found[0].times),
            ("alocator", "allocator", 40)
        );
    }
}
