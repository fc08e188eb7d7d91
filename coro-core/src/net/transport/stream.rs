//! The stream of a connection.

use std::any::Any;

use futures::io::{AsyncRead, AsyncWrite};

/// Anything that reads and writes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Any {}

impl<S: AsyncRead + AsyncWrite + Unpin + Any> Stream for S {}
