//! What the expansion of the attributes calls: no part of the public interface.

mod yielding;

pub use yielding::*;
