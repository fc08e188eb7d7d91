//! Adapters between this crate's loop and libraries that were written for another.
//!
//! A library that is generic over `futures::io` needs none of this. For the others there are three
//! ways, and the guide has the line for each of them:
//!
//! - a library that asks for `Send` is given an [`OnLoop`];
//! - a library that needs the runtime of tokio runs as its guest, with the feature `tokio`;
//! - a library that has traits for runtimes is given an adapter, with the features `hyper` and
//!   `tower`.

pub use crate::event_loop::OnLoop;

#[cfg(feature = "hyper")]
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
pub mod hyper;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod tower;
