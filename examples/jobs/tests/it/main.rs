//! The promise of `jobs`: on a real server, under random kills, and in simulations.

mod answers;
mod chaos;
mod crashes;
mod real_redis;
mod simulated;
mod simulated_redis;
mod worker;
