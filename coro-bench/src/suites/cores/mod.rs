//! The cost of several cores: servers on all of them, messages between two.

mod compute;
mod echo;
mod kv;
mod kv_peers;
mod messages;

use crate::harness::Suite;

pub(crate) fn suite() -> Suite {
    Suite::new("cores", "servers on several cores, messages between two")
        .unpinned()
        .rounds(3, 1)
        .minutes_max(3)
        .case(echo::case("64-byte echo, 1 core", 1))
        .case(echo::case("64-byte echo, 2 cores", 2))
        .case(kv::case("16 SETs in a pipeline, 1 core", 1))
        .case(kv::case("16 SETs in a pipeline, 2 cores", 2))
        .case(messages::streaming())
        .case(messages::there_and_back())
        .case(compute::case())
}
