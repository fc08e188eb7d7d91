//! The memory of another process, read in large pieces that are kept.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::mappings::Mapping;

/// One read takes as much as this, as tasks stand beside one another.
const PIECE: u64 = 64 << 10;

/// Why an address could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// There is no memory: the address was read while it was written, or its memory was given back.
    Torn,
    /// The process has ended.
    Ended,
}

/// Memory as it was when each of its pieces was first read.
pub(crate) struct Memory<'a> {
    file: &'a File,
    /// In the order of their addresses.
    mappings: &'a [Mapping],
    pieces: HashMap<u64, Vec<u8>>,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(file: &'a File, mappings: &'a [Mapping]) -> Self {
        Memory {
            file,
            mappings,
            pieces: HashMap::new(),
        }
    }

    /// Fills `into` with the bytes from that address on.
    pub(crate) fn read(&mut self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        let mut done = 0;
        while done < into.len() {
            let from = at.checked_add(done as u64).ok_or(Unread::Torn)?;
            let piece = self.piece(from)?;
            let length = piece.len().min(into.len() - done);
            into[done..done + length].copy_from_slice(&piece[..length]);
            done += length;
        }
        Ok(())
    }

    /// The bytes from that address on, at least one.
    fn piece(&mut self, at: u64) -> Result<&[u8], Unread> {
        let after = self.mappings.partition_point(|mapping| mapping.begin <= at);
        let mapping = after.checked_sub(1).map(|index| &self.mappings[index]);
        let mapping = mapping.filter(|mapping| at < mapping.end && mapping.readable);
        let mapping = mapping.ok_or(Unread::Torn)?;
        let begin = (at - at % PIECE).max(mapping.begin);
        let length = (at - at % PIECE + PIECE).min(mapping.end) - begin;
        if !self.pieces.contains_key(&begin) {
            let piece = read_some(self.file, begin, length as usize)?;
            self.pieces.insert(begin, piece);
        }
        let piece = &self.pieces[&begin];
        let rest = piece.get((at - begin) as usize..).unwrap_or_default();
        if rest.is_empty() {
            Err(Unread::Torn)
        } else {
            Ok(rest)
        }
    }

    pub(crate) fn word(&mut self, at: u64) -> Result<u64, Unread> {
        let mut bytes = [0; 8];
        self.read(at, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    pub(crate) fn half_word(&mut self, at: u64) -> Result<u32, Unread> {
        let mut bytes = [0; 4];
        self.read(at, &mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    /// A text of that length, or its beginning. Bytes that are no UTF-8 come from a torn read.
    pub(crate) fn text(&mut self, at: u64, length: u64) -> Result<String, Unread> {
        const TEXT_MAX: u64 = 4096;
        let mut bytes = vec![0; length.min(TEXT_MAX) as usize];
        self.read(at, &mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error)
                if length > TEXT_MAX
                    && TEXT_MAX as usize - error.utf8_error().valid_up_to() < 4 =>
            {
                Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()) // cut within a character
            }
            Err(_) => Err(Unread::Torn),
        }
    }
}

/// As much of a piece as is there.
fn read_some(file: &File, at: u64, length: usize) -> Result<Vec<u8>, Unread> {
    const NO_SUCH_PROCESS: i32 = 3;
    let mut piece = vec![0; length];
    let mut done = 0;
    while done < length {
        match file.read_at(&mut piece[done..], at + done as u64) {
            Ok(0) if done == 0 => return Err(Unread::Ended),
            Ok(0) => break,
            Ok(more) => done += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => {
                return Err(Unread::Ended);
            }
            Err(_) if done > 0 => break,
            Err(_) => return Err(Unread::Torn),
        }
    }
    piece.truncate(done);
    Ok(piece)
}
