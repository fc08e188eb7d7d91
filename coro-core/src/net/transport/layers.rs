//! The layers of a connection's stream: itself, and the stream below each layer of TLS.

use std::any::Any;

use super::stream::Stream;

/// The stream itself, or the nearest below it, that is an `S`.
pub(super) fn find<S: 'static>(stream: &dyn Stream) -> Option<&S> {
    let layer: &dyn Any = stream;
    #[cfg(feature = "tls")]
    if let Some(below) = super::plain_stream::below(layer) {
        return layer.downcast_ref().or_else(|| find(below));
    }
    layer.downcast_ref()
}
