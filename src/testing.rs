//! Tests of what goes wrong: simulations of whole programs, and tools for single parts.

pub use coro_core::testing::{
    DuplexStream, Explore, Explored, FailedRun, Faults, Host, Packet, PacketKind, RuleGuard, Sim,
    TestOutput, Verdict, advance, cancel_everywhere, crash_everywhere, duplex, explore,
    lockstep_pair, rand, wait_all_tasks_blocked,
};
