//! Coroutines in edition 2018.

#[cfg(test)]
#[path = "../../shapes.rs"]
mod shapes;
