//! What the expansion of the attributes calls: no part of the public interface.
