//! The error of reading a line or a frame from a `StreamReader`.

use std::{fmt, io};

/// The reason why a [`StreamReader`](super::StreamReader) cannot give a line or frame. The bytes stay in its buffer.
pub struct ReadError(pub(super) ReadFailure);

pub(super) enum ReadFailure {
    TooLong(usize),
    NotText(std::str::Utf8Error),
    Ended { got: usize, wanted: usize },
    Io(io::Error),
}

impl ReadError {
    /// Whether the line or frame is longer than the limit.
    #[inline]
    pub fn is_too_long(&self) -> bool {
        matches!(self.0, ReadFailure::TooLong(_))
    }

    /// Whether the line is not UTF-8.
    #[inline]
    pub fn is_not_text(&self) -> bool {
        matches!(self.0, ReadFailure::NotText(_))
    }

    /// Whether the stream has ended before the frame was complete.
    #[inline]
    pub fn is_end(&self) -> bool {
        matches!(self.0, ReadFailure::Ended { .. })
    }

    /// The error of reading, if this is one.
    #[inline]
    pub(super) fn as_io(&self) -> Option<&io::Error> {
        match &self.0 {
            ReadFailure::Io(error) => Some(error),
            _ => None,
        }
    }

    /// The kind of error as an [`io::Error`].
    #[inline]
    pub fn kind(&self) -> io::ErrorKind {
        match &self.0 {
            ReadFailure::TooLong(_) | ReadFailure::NotText(_) => io::ErrorKind::InvalidData,
            ReadFailure::Ended { .. } => io::ErrorKind::UnexpectedEof,
            ReadFailure::Io(error) => error.kind(),
        }
    }
}

impl fmt::Display for ReadError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ReadFailure::TooLong(limit) => write!(f, "longer than the limit of {limit} bytes"),
            ReadFailure::NotText(error) => write!(f, "the line is no text: {error}"),
            ReadFailure::Ended { got, wanted } => {
                write!(f, "the stream ended after {got} of {wanted} bytes")
            }
            ReadFailure::Io(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for ReadError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadError({self})")
    }
}

impl std::error::Error for ReadError {
    #[inline]
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            ReadFailure::NotText(error) => Some(error),
            ReadFailure::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for ReadError {
    #[inline]
    fn from(error: io::Error) -> Self {
        ReadError(ReadFailure::Io(error))
    }
}

impl From<ReadError> for io::Error {
    #[inline]
    fn from(error: ReadError) -> Self {
        match error.0 {
            ReadFailure::Io(error) => error,
            _ => io::Error::new(error.kind(), error),
        }
    }
}
