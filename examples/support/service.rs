//! The arguments of examples that can also be servers: `serve` with addresses, or a scale.

use std::env;
use std::process;

use crate::support::check_arguments;

/// The `N` addresses after `serve`, which `names` describes; `None` if the example demonstrates
/// itself.
pub(crate) fn addresses<const N: usize>(names: &str) -> Option<[String; N]> {
    if env::args().nth(1).as_deref() != Some("serve") {
        check_arguments();
        return None;
    }
    let addresses: Vec<String> = env::args().skip(2).collect();
    match addresses.try_into() {
        Ok(addresses) => Some(addresses),
        Err(_) => {
            eprintln!("error: after \"serve\" stands {names}");
            process::exit(2)
        }
    }
}
