//! What a transport has been given to write, and could not yet.

use std::collections::VecDeque;
use std::io::IoSlice;

/// Small writes are gathered into chunks of at least this size.
const CHUNK_MIN: usize = 4 * 1024;

/// At most so many chunks are handed to the system at once.
const SLICES: usize = 64;

/// Chunks in the order in which they were written. Every byte is copied once, into its chunk.
#[derive(Default)]
pub(super) struct Outgoing {
    chunks: VecDeque<Vec<u8>>,
    /// How much of the first chunk is gone already.
    gone: usize,
    len: usize,
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len();
        match self.chunks.back_mut() {
            Some(last) if last.capacity() - last.len() >= bytes.len() => {
                last.extend_from_slice(bytes);
            }
            _ => {
                let mut chunk = Vec::with_capacity(bytes.len().max(CHUNK_MIN));
                chunk.extend_from_slice(bytes);
                self.chunks.push_back(chunk);
            }
        }
    }

    /// Adds what is left of several slices when their first `skip` bytes are gone.
    pub(super) fn push_rest(&mut self, slices: &[IoSlice<'_>], mut skip: usize) {
        for slice in slices {
            let gone = skip.min(slice.len());
            self.push(&slice[gone..]);
            skip -= gone;
        }
    }

    /// Adds what was written later; none of that is gone yet.
    pub(super) fn append(&mut self, mut later: Outgoing) {
        self.len += later.len;
        self.chunks.append(&mut later.chunks);
    }

    /// Calls `write` with the first chunks, as many as can be written at once.
    pub(super) fn with_slices<T>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.chunks.len().min(SLICES);
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        if let Some(first) = self.chunks.front() {
            slices[0] = IoSlice::new(&first[self.gone..]);
        }
        write(&slices[..count])
    }

    /// The first `count` bytes are gone.
    pub(super) fn advance(&mut self, count: usize) {
        self.len -= count;
        self.gone += count;
        while let Some(first) = self.chunks.front()
            && self.gone >= first.len()
        {
            self.gone -= first.len();
            self.chunks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(out: &Outgoing) -> Vec<u8> {
        out.with_slices(|slices| slices.iter().flat_map(|slice| slice.to_vec()).collect())
    }

    #[test]
    fn what_is_pushed_comes_out_in_its_order_however_it_is_taken() {
        let mut out = Outgoing::default();
        let mut expected = Vec::new();
        for n in 0..50_usize {
            let bytes = vec![n as u8; n * 97 % 6000];
            out.push(&bytes);
            expected.extend_from_slice(&bytes);
        }
        let mut taken = Vec::new();
        while !out.is_empty() {
            let next = all(&out);
            let count = next.len().min(1 + taken.len() % 1234);
            taken.extend_from_slice(&next[..count]);
            out.advance(count);
            assert_eq!(out.len(), expected.len() - taken.len());
        }
        assert_eq!(taken, expected);
    }

    #[test]
    fn small_writes_share_a_chunk_and_nothing_is_kept_when_all_is_gone() {
        let mut out = Outgoing::default();
        for _ in 0..CHUNK_MIN {
            out.push(b"x");
        }
        assert_eq!(out.chunks.len(), 1);
        out.advance(CHUNK_MIN);
        assert!(out.is_empty() && out.chunks.is_empty());
    }

    #[test]
    fn the_rest_of_slices_begins_where_the_write_ended() {
        let slices = [
            IoSlice::new(b"abc"),
            IoSlice::new(b""),
            IoSlice::new(b"defg"),
        ];
        for skip in 0..=7 {
            let mut out = Outgoing::default();
            out.push_rest(&slices, skip);
            assert_eq!(all(&out), &b"abcdefg"[skip..]);
        }
    }

    #[test]
    fn what_came_later_is_appended_behind_a_chunk_that_is_half_gone() {
        let (mut out, mut later) = (Outgoing::default(), Outgoing::default());
        out.push(b"abc");
        out.advance(2);
        later.push(b"de");
        out.append(later);
        assert_eq!((all(&out).as_slice(), out.len()), (&b"cde"[..], 3));
    }
}
