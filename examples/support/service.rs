//! The arguments of examples that are servers as well: `serve` with addresses, or a scale.

use std::env;
use std::process;

use crate::support::check_arguments;

/// What stands after `serve`, which is as much as `names` says; `None` if the example has to
/// demonstrate itself.
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
