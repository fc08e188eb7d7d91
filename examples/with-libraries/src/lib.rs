//! The arguments of these programs: none for a demonstration, or `serve` with an address.

use std::env;
use std::process;

/// The address after `serve`; `None` if the program demonstrates itself.
///
/// Ends the process with exit code 2 and an explanation if the arguments make no sense.
#[must_use]
pub fn serve_at() -> Option<String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => None,
        [serve, address] if serve == "serve" => Some(address.clone()),
        _ => usage("serve ADDRESS"),
    }
}

/// The only argument, or this default.
///
/// Ends the process with exit code 2 and an explanation if there are more.
#[must_use]
pub fn server_at(name: &str, default: &str) -> String {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => default.to_owned(),
        [server] => server.clone(),
        _ => usage(name),
    }
}

fn usage(arguments: &str) -> ! {
    eprintln!("error: these arguments make no sense");
    eprintln!("usage: cargo run -p with-libraries --bin NAME [-- {arguments}]");
    process::exit(2)
}
