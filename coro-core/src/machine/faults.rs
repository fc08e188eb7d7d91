//! `Faults`: the rates at which a simulated system fails as a real one may.

/// The rates of faults that the simulated system makes, in millionths of its calls. All are zero
/// by default, and each is a decision of the seed: it is replayed, and shrunk away if it does not
/// matter.
///
/// A program has to stand all of them: real systems make them too, though rarely, when a test
/// looks.
///
/// ```
/// use coro::testing::Faults;
///
/// let mut faults = Faults::default();
/// faults.interrupted = 100_000;
/// faults.fragments = 50_000;
/// assert_eq!(faults.short_writes, 0);
/// assert_eq!(Faults::all(100_000).short_writes, 100_000); // a tenth of all calls
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// A call is interrupted by a signal (`EINTR`). coro's sockets try again.
    pub interrupted: u32,
    /// A write takes only a part of the bytes, though there is room for more.
    pub short_writes: u32,
    /// Bytes of a stream arrive in several pieces, one after another.
    pub fragments: u32,
    /// An event says that a socket is ready, and it is not.
    pub spurious_events: u32,
    /// A connection is broken off before it could be accepted (`ECONNABORTED`); its client sees a
    /// reset.
    pub accept_aborted: u32,
    /// An accept, or a new socket, finds no free descriptor (`EMFILE`).
    pub out_of_descriptors: u32,
}

impl Faults {
    /// All faults that a sound program does not notice, at one rate: those of interrupted calls,
    /// short writes, fragments and spurious events.
    pub fn all(millionths: u32) -> Self {
        Faults {
            interrupted: millionths,
            short_writes: millionths,
            fragments: millionths,
            spurious_events: millionths,
            ..Faults::default()
        }
    }
}
