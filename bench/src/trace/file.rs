//! Trace files: `PBT1`, the number of operations as a `u32`, then the operations as `u64`, all little-endian.
//! A file whose name ends in `.xz` is compressed as a whole.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use liblzma::read::{XzDecoder, XzEncoder};

use super::op::{Kind, Op};

const MAGIC: &[u8; 4] = b"PBT1";

/// A trace, and what is known of it before anyone replays it.
pub struct Trace {
    pub ops: Vec<Op>,
    /// How many slots its operations name.
    pub slots: usize,
    /// The most bytes that live at any time, without any rounding.
    pub peak: usize,
}

/// The traces that come with the suite.
pub fn bundled() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.to_string_lossy().ends_with(".pbt.xz"));
    files.sort();
    Ok(files)
}

/// The name of a trace: its file's name up to the first dot.
pub fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

pub fn unpacked(file: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !is_compressed(file) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    XzDecoder::new(bytes.as_slice())
        .read_to_end(&mut unpacked)
        .with_context(|| format!("{} is not valid xz", file.display()))?;
    Ok(unpacked)
}

/// The contents of a trace file of that name.
pub fn pack(ops: &[Op], file: &Path) -> Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(
        u32::try_from(ops.len())
            .context("too many operations")?
            .to_le_bytes(),
    );
    bytes.extend(ops.iter().flat_map(|op| op.0.to_le_bytes()));
    if !is_compressed(file) {
        return Ok(bytes);
    }
    let mut packed = Vec::new();
    XzEncoder::new(bytes.as_slice(), 6).read_to_end(&mut packed)?;
    Ok(packed)
}

fn is_compressed(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "xz")
}

pub fn load(file: &Path) -> Result<Trace> {
    decode(&unpacked(file)?).with_context(|| format!("{} is no trace", file.display()))
}

pub fn decode(bytes: &[u8]) -> Result<Trace> {
    let Some((header, body)) = bytes.split_first_chunk::<8>() else {
        bail!("expected a header of 8 bytes, got {} bytes", bytes.len());
    };
    let [magic @ .., _, _, _, _] = header;
    ensure!(magic == MAGIC, "expected it to begin with PBT1");
    let count = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let (words, rest) = body.as_chunks::<8>();
    ensure!(
        words.len() == count && rest.is_empty(),
        "expected {count} operations of 8 bytes, got {} bytes",
        body.len()
    );
    let ops: Vec<Op> = words
        .iter()
        .map(|word| Op(u64::from_le_bytes(*word)))
        .collect();
    let (slots, peak) = survey(&ops)?;
    Ok(Trace { ops, slots, peak })
}

/// Checks that every operation makes sense, so that a replay need not, and finds the number of slots and the peak.
fn survey(ops: &[Op]) -> Result<(usize, usize)> {
    let mut sizes: Vec<Option<usize>> = Vec::new();
    let (mut live, mut peak) = (0, 0);
    for (index, op) in ops.iter().enumerate() {
        if sizes.len() <= op.slot() {
            sizes.resize(op.slot() + 1, None);
        }
        let size = &mut sizes[op.slot()];
        let starts = matches!(op.kind(), Kind::Alloc | Kind::AllocZeroed);
        ensure!(
            size.is_none() == starts,
            "operation {index}: {:?} of slot {}, which is {}",
            op.kind(),
            op.slot(),
            if starts { "in use" } else { "not in use" }
        );
        ensure!(
            starts || op.kind() == Kind::Free || op.size() > 0,
            "operation {index}: realloc to no bytes"
        );
        live -= size.take().unwrap_or(0);
        if op.kind() != Kind::Free {
            *size = Some(op.size());
            live += op.size();
        }
        peak = peak.max(live);
    }
    Ok((sizes.len(), peak))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(ops: &[Op]) -> Vec<u8> {
        pack(ops, Path::new("trace.pbt")).unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["trace.pbt", "trace.pbt.xz"] {
            let file = folder.path().join(name);
            let ops = [
                Op::new(Kind::Alloc, 8, 0, 100),
                Op::new(Kind::Free, 1, 0, 0),
            ];
            fs::write(&file, pack(&ops, &file).unwrap()).unwrap();
            assert_eq!(load(&file).unwrap().ops, ops);
        }
    }

    #[test]
    fn the_peak_is_the_most_that_lives_at_once() {
        let ops = [
            Op::new(Kind::Alloc, 8, 0, 100),
            Op::new(Kind::AllocZeroed, 8, 1, 50),
            Op::new(Kind::Realloc, 8, 0, 300),
            Op::new(Kind::Free, 1, 1, 0),
            Op::new(Kind::Alloc, 8, 1, 10),
        ];
        let trace = decode(&file(&ops)).unwrap();
        assert_eq!(
            (trace.ops.as_slice(), trace.slots, trace.peak),
            (&ops[..], 2, 350)
        );
    }

    #[test]
    fn a_free_of_a_free_slot_is_refused() {
        assert!(decode(&file(&[Op::new(Kind::Free, 1, 0, 0)])).is_err());
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let bytes = file(&[Op::new(Kind::Alloc, 8, 0, 100)]);
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn every_bundled_trace_is_valid() {
        let files = bundled().unwrap();
        assert!(!files.is_empty());
        for file in files {
            load(&file).unwrap();
        }
    }
}
