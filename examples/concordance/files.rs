//! Which files to read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The files that the paths name, with those in and below directories, in
/// order; and what could not be looked into, with the reason.
///
/// Below a directory, hidden entries, symbolic links and `target` are passed
/// over.
pub fn below(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
    let mut found = Vec::new();
    let mut failed = Vec::new();
    let mut waiting = paths.to_vec();
    while let Some(path) = waiting.pop() {
        let listed = match fs::metadata(&path) {
            Ok(data) if data.is_dir() => entries(&path).map(|entries| waiting.extend(entries)),
            Ok(data) if data.is_file() => {
                found.push(path);
                continue;
            }
            Ok(_) => Err(io::Error::other("neither a file nor a directory")),
            Err(error) => Err(error),
        };
        if let Err(error) = listed {
            failed.push((path, error.to_string()));
        }
    }
    found.sort();
    found.dedup();
    (found, failed)
}

/// The directory that all of the files, which are in order, are below; empty
/// if that is the one where the program runs.
pub fn root(files: &[PathBuf]) -> &Path {
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return Path::new("");
    };
    let mut above = first.ancestors().skip(1);
    above
        .find(|directory| last.starts_with(directory))
        .unwrap_or(Path::new(""))
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut wanted = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if !hidden && name != "target" && !entry.file_type()?.is_symlink() {
            wanted.push(entry.path());
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_walked_in_order() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let (found, failed) = below(&[here.join("concordance")]);
        assert!(failed.is_empty());
        assert!(found.contains(&here.join("concordance/files.rs")));
        assert!(found.is_sorted());
    }

    #[test]
    fn the_root_is_above_all_files() {
        let files = ["/a/b/c/1", "/a/b/c/2/3", "/a/b/d/4"].map(PathBuf::from);
        assert_eq!(root(&files), Path::new("/a/b"));
        assert_eq!(root(&files[..1]), Path::new("/a/b/c"));
        assert_eq!(root(&[]), Path::new(""));
    }

    #[test]
    fn what_is_not_there_is_reported() {
        let (found, failed) = below(&[PathBuf::from("no/such/file")]);
        assert!(found.is_empty());
        assert_eq!(failed[0].0, Path::new("no/such/file"));
    }
}
