//! The planted bugs of the worked examples of simulations: each is found, and the sound design stands.

use coro::testing::{Sim, TestOutput, explore};

use crate::support::panic_of;

#[path = "../../examples/lock_service/main.rs"]
#[allow(dead_code, reason = "its `main` is for a terminal")]
mod lock_service;
#[path = "../../examples/replicated_kv/main.rs"]
#[allow(dead_code, reason = "its `main` is for a terminal")]
mod replicated_kv;
#[path = "../../examples/retrying_client/main.rs"]
#[allow(dead_code, reason = "its `main` is for a terminal")]
mod retrying_client;
#[path = "../../examples/write_ahead/main.rs"]
#[allow(dead_code, reason = "its `main` is for a terminal")]
mod write_ahead;

/// The failure that 1,000 seeds find, shrunk to at most three decisions.
fn found<T: TestOutput>(test: impl AsyncFn(&Sim) -> T, message: &str) {
    let failed = explore().seeds(1_000).try_run(test).unwrap_err();
    assert!(failed.message().contains(message), "{failed}");
    assert!(failed.odd_decisions() <= 3, "{failed}");
}

#[test]
fn a_repeat_that_meets_the_original_is_counted_twice() {
    found(retrying_client::careless, "each request counts once");
    explore().seeds(200).run(retrying_client::sound);
}

#[test]
fn a_lease_that_ends_in_a_pause_loses_an_addition() {
    found(lock_service::without_tokens, "each addition counts");
    explore().seeds(200).run(lock_service::with_tokens);
}

#[test]
fn a_careless_failover_loses_an_acknowledged_write() {
    found(replicated_kv::careless, "an acknowledged write is lost");
    explore().seeds(200).run(replicated_kv::sound);
}

#[test]
fn a_transfer_in_place_is_broken_by_crashes_and_one_with_a_log_is_not() {
    use write_ahead::{Design, crash_at_every_step};

    let text = panic_of(|| crash_at_every_step(Design::Careless));
    assert!(text.contains("money was made or lost"), "{text}");
    assert!(crash_at_every_step(Design::WriteAhead) > 8);
}
