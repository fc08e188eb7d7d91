//! Tests of what goes wrong: simulations of whole programs, and tools for single parts.

pub use coro_core::testing::{
    Explore, Explored, FailedRun, Faults, Host, Packet, PacketKind, RuleGuard, Sim, TestOutput,
    Verdict, explore,
};
