//! From bytes to words and lines.

use std::{
    collections::HashMap,
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::Read,
    path::Path,
};

/// Where a file's words are: each word with the numbers of the lines that
/// have it, one for every time it occurs.
pub type Occurrences = HashMap<String, Vec<u32>>;

/// What is kept of a line: a number that equal lines have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub number: u32,
    pub fingerprint: u64,
}

/// Reads a file, or says why it is none to be read.
pub fn read(path: &Path) -> Result<String, String> {
    let mut bytes = [0; 1024];
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.read(&mut bytes).map_err(|error| error.to_string())?;
    if bytes[..length].contains(&0) {
        return Err("binary".to_owned());
    }
    let mut text = bytes[..length].to_vec();
    file.read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|_| "not UTF-8".to_owned())
}

/// The words of a text and the lines that have them.
pub fn occurrences(text: &str) -> Occurrences {
    let mut found = Occurrences::new();
    for (number, line) in (1..).zip(text.lines()) {
        for word in words(line) {
            found.entry(word).or_default().push(number);
        }
    }
    found
}

/// The words of a line in lower case: two letters or more, nothing but
/// letters. The parts of `snake_case` and `camelCase` are words of their own.
pub fn words(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| !c.is_alphanumeric())
        .filter(|run| run.chars().all(char::is_alphabetic))
        .flat_map(humps)
        .filter(|word| word.chars().nth(1).is_some())
        .map(str::to_lowercase)
}

/// Splits before every capital that follows a small letter.
fn humps(run: &str) -> impl Iterator<Item = &str> {
    let mut following = run.chars().skip(1);
    run.split_inclusive(move |letter: char| {
        let next = following.next();
        letter.is_lowercase() && next.is_some_and(char::is_uppercase)
    })
}

/// The lines that have letters, without the blanks around them.
pub fn lines(text: &str) -> Vec<Line> {
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| line.contains(char::is_alphabetic))
        .map(|(number, line)| Line {
            number,
            fingerprint: fingerprint(line),
        })
        .collect()
}

pub fn fingerprint(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(line: &str) -> Vec<String> {
        words(line).collect()
    }

    #[test]
    fn words_are_runs_of_letters_in_lower_case() {
        assert_eq!(
            words_of("The heap: Größe, a 64-bit u32!"),
            ["the", "heap", "größe", "bit"]
        );
    }

    #[test]
    fn identifiers_are_split_into_their_words() {
        assert_eq!(
            words_of("largest_free SpinLockedAllocator"),
            ["largest", "free", "spin", "locked", "allocator"]
        );
    }

    #[test]
    fn every_occurrence_has_its_line() {
        let found = occurrences("free the free\n\nlist\nfree");
        assert_eq!(found["free"], [1, 1, 4]);
        assert_eq!(found["list"], [3]);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn lines_without_letters_are_left_out_and_indentation_does_not_count() {
        let found = lines("    same\n}\n\nsame\nother");
        assert_eq!(
            found.iter().map(|line| line.number).collect::<Vec<_>>(),
            [1, 4, 5]
        );
        assert_eq!(found[0].fingerprint, found[1].fingerprint);
        assert_ne!(found[0].fingerprint, found[2].fingerprint);
    }

    #[test]
    fn a_missing_file_is_an_error_that_says_so() {
        assert!(read(Path::new("no/such/file")).is_err());
    }
}
