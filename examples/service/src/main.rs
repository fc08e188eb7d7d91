//! The process of the service: its arguments, and the settings of its loop.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use coro::EventLoop;
use coro::signal::SignalKind;
use service::{Settings, Sockets};

fn main() -> ExitCode {
    // First of all, as it changes the environment, which only a process with one thread may.
    let inherited = Sockets::inherited();
    let settings = match Settings::from_arguments(env::args_os()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let served = EventLoop::builder()
        .dump_on(SignalKind::user_defined1())
        .watchdog(Duration::from_secs(1)) // names a task that holds up all others
        .run(service::run(settings, inherited));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
