//! The service as a process: restarts under load, draining, activation, limits, metrics, dumps.

mod activation;
mod client;
mod limits;
mod process;
mod restart;
mod signals;
