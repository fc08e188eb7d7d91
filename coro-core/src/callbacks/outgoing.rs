//! The outgoing bytes of a transport, which wait to be written.

use std::collections::VecDeque;
use std::io::IoSlice;

/// Small writes are gathered into chunks of at least this size.
const CHUNK_MIN: usize = 4 * 1024;

/// The largest number of chunks that are handed to the system at once.
const SLICES: usize = 64;

/// Chunks in the order in which they were written. Every byte is copied once, into its chunk.
#[derive(Default)]
pub(crate) struct Outgoing {
    chunks: VecDeque<Vec<u8>>,
    /// How many bytes of the first chunk were written already.
    written: usize,
    len: usize,
}

impl Outgoing {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
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

    /// Adds the bytes of several slices, but for the first `skip`.
    #[inline]
    pub(crate) fn push_rest(&mut self, slices: &[IoSlice<'_>], mut skip: usize) {
        for slice in slices {
            let gone = skip.min(slice.len());
            self.push(&slice[gone..]);
            skip -= gone;
        }
    }

    /// Adds bytes that were pushed later, elsewhere; none of them is written yet.
    #[inline]
    pub(crate) fn append(&mut self, mut later: Outgoing) {
        self.len += later.len;
        self.chunks.append(&mut later.chunks);
    }

    /// Calls `write` with the first chunks, as many as can be written at once.
    pub(crate) fn with_slices<T>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.chunks.len().min(SLICES);
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        if let Some(first) = self.chunks.front() {
            slices[0] = IoSlice::new(&first[self.written..]);
        }
        write(&slices[..count])
    }

    /// Drops the first `count` bytes, as they are written.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.len -= count;
        self.written += count;
        while let Some(first) = self.chunks.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
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
    fn pushed_bytes_come_out_in_their_order_however_many_are_taken() {
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
    fn small_writes_share_a_chunk_and_nothing_is_kept_when_all_are_written() {
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
    fn later_bytes_are_appended_behind_a_chunk_that_is_half_written() {
        let (mut out, mut later) = (Outgoing::default(), Outgoing::default());
        out.push(b"abc");
        out.advance(2);
        later.push(b"de");
        out.append(later);
        assert_eq!((all(&out).as_slice(), out.len()), (&b"cde"[..], 3));
    }
}
