//! Every row of `docs/guide/libraries.md`: a library at work on coro, against a real peer where it has one.
//!
//! A line that a program needs beside its own business and the library's documented usage ends with
//! the word `glue` in a comment; the module `page` counts these lines.

mod axum;
mod brokers;
mod channels;
mod clients;
mod databases;
mod errors;
mod files;
mod futures;
mod graceful;
mod guests;
mod http;
mod http_peers;
mod on_tokio;
mod page;
mod peers;
mod programs;
mod quic;
mod simulated_faults;
mod simulated_network;
mod test_tools;
mod tls;
mod tower;
mod tracing;
mod under_dumps;
mod upgrades;
