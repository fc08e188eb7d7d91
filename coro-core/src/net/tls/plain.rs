//! A reader of plain text that TLS may follow.

use std::io;

use futures::io::{AsyncRead, BufReader};

use crate::net::StreamReader;

/// A reader through which plain text was read before `start_tls`: a [`BufReader`] or a
/// [`StreamReader`]. It cannot be implemented elsewhere.
pub trait PlainReader: sealed::Sealed {
    /// The stream that it reads from.
    type Stream;

    /// The stream, and how many bytes were read from it but not taken from here.
    #[doc(hidden)]
    fn into_stream(self) -> (Self::Stream, usize);
}

mod sealed {
    pub trait Sealed {}
}

impl<S> sealed::Sealed for BufReader<S> {}
impl<S> sealed::Sealed for StreamReader<S> {}

impl<S: AsyncRead> PlainReader for BufReader<S> {
    type Stream = S;

    fn into_stream(self) -> (S, usize) {
        let unread = self.buffer().len();
        (self.into_inner(), unread)
    }
}

impl<S> PlainReader for StreamReader<S> {
    type Stream = S;

    fn into_stream(self) -> (S, usize) {
        let (stream, unread) = self.into_parts();
        (stream, unread.len())
    }
}

/// The stream below a reader that has not read beyond the plain part of the conversation.
///
/// Bytes beyond that came in plain text, perhaps from an attacker on the line. If they counted as a
/// part of the protected conversation, they would be injected commands; if they were dropped,
/// commands would be lost.
pub(super) fn only_plain<R: PlainReader>(reader: R) -> io::Result<R::Stream> {
    let (stream, unread) = reader.into_stream();
    check_unread(unread)?;
    Ok(stream)
}

/// Refuses a handshake after bytes that were read in plain text and not taken.
#[inline]
pub(in crate::net) fn check_unread(unread: usize) -> io::Result<()> {
    if unread == 0 {
        return Ok(());
    }
    let text = format!(
        "tls: {unread} bytes in plain text came before the handshake had begun, \
         which is how commands are injected into STARTTLS"
    );
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}
