//! Keeps processes alive: restarts each that ends, after growing pauses.
//!
//! ```text
//! $ cargo run --example supervisor
//! steady: started
//! flaky: started
//! stubborn: started
//! flaky: exit status: 1, again after 0.5 seconds
//! flaky: started
//! flaky: exit status: 1, again after 1 seconds
//! flaky: started
//! flaky: exit status: 1, again after 2 seconds
//! flaky: started
//! stopping, as flaky has ended too often: exit status: 1
//! steady: signal: 15 (SIGTERM)
//! stubborn: does not heed SIGTERM: signal: 9 (SIGKILL)
//! ```
//!
//! Ctrl-C stops it sooner. Unix only. With a scale such as `-- 0.1` after the command the pauses
//! are shorter.

#[cfg(unix)]
mod support;

#[cfg(unix)]
mod unix {
    use std::cell::RefCell;
    use std::io;
    use std::process::Stdio;

    use crate::support::seconds;
    use coro::net::StreamReader;
    use coro::process::{Child, Command};
    use coro::{gather, race, signal, sleep, timeout, yield_from};

    /// The pause after the first end of a process; it doubles after each further end.
    const FIRST_PAUSE: f64 = 0.5;
    const RESTARTS_MAX: i32 = 3;
    /// How long a process may take to end after SIGTERM.
    const GRACE: f64 = 1.5;

    struct Service {
        name: &'static str,
        /// A shell command; it prints a line when it is ready.
        line: &'static str,
    }

    const SERVICES: [Service; 3] = [
        Service {
            name: "steady",
            line: "echo ready; exec sleep 3600",
        },
        Service {
            name: "flaky",
            line: "echo ready; exit 1",
        },
        Service {
            name: "stubborn",
            line: "trap '' TERM; echo ready; sleep 3600",
        },
    ];

    /// The present process of a service. Everything runs on one thread, so a plain cell is enough.
    type Process = RefCell<Child>;

    /// Starts a process, then waits until it is ready.
    #[coro::coroutine]
    fn start(service: &Service) -> io::Result<Child> {
        let mut command = Command::shell(service.line);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        // In a process group of its own, the child is spared our Ctrl-C, and a kill reaches all
        // processes that it has started.
        let mut child = command.kill_group(true).kill_on_drop(true).spawn()?;
        if let Some(stdout) = child.stdout.take() {
            yield_from!(StreamReader::new(stdout).read_line())?;
        }
        println!("{}: started", service.name);
        Ok(child)
    }

    /// Restarts a service until it has ended too often.
    #[coro::coroutine]
    fn keep_alive(service: &Service, process: &Process) -> io::Result<String> {
        for restart in 0.. {
            let ended = process.borrow_mut().wait(); // the future does not borrow `process`
            let status = yield_from!(ended)?;
            if restart == RESTARTS_MAX {
                let name = service.name;
                return Ok(format!("{name} has ended too often: {status}"));
            }
            let pause = FIRST_PAUSE * 2_f64.powi(restart);
            println!("{}: {status}, again after {pause} seconds", service.name);
            yield_from!(sleep(seconds(pause)));
            let again = yield_from!(start(service))?;
            process.replace(again);
        }
        unreachable!("restarts are counted")
    }

    #[coro::coroutine]
    fn interrupt() -> io::Result<String> {
        yield_from!(signal::ctrl_c())?;
        Ok("Ctrl-C was pressed".into())
    }

    /// Terminates a process, and kills it if it does not end in time. Returns a line to print.
    #[coro::coroutine]
    fn stop(service: &Service, process: &Process) -> io::Result<Option<String>> {
        let ended = {
            let mut child = process.borrow_mut();
            if child.try_wait()?.is_some() {
                return Ok(None);
            }
            child.terminate()?;
            child.wait()
        };
        let name = service.name;
        if let Ok(status) = yield_from!(timeout(seconds(GRACE), ended)) {
            return Ok(Some(format!("{name}: {}", status?)));
        }
        process.borrow().kill()?;
        let ended = process.borrow_mut().wait();
        let status = yield_from!(ended)?;
        Ok(Some(format!("{name}: does not heed SIGTERM: {status}")))
    }

    #[coro::main]
    pub(super) fn main() -> io::Result<()> {
        crate::support::check_arguments();
        let mut processes = Vec::new();
        for service in &SERVICES {
            processes.push(RefCell::new(yield_from!(start(service))?));
        }
        let all = || SERVICES.iter().zip(&processes);

        // The first to end drops the others, so that no service is restarted during the stop.
        let kept_alive = race(
            all()
                .map(|(service, process)| keep_alive(service, process))
                .collect::<Vec<_>>(),
        );
        let reason = yield_from!(race((interrupt(), kept_alive)))?;
        println!("stopping, as {reason}");
        let stopped = all().map(|(service, process)| stop(service, process));
        for said in yield_from!(gather(stopped.collect::<Vec<_>>())) {
            if let Some(said) = said? {
                println!("{said}");
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    println!("this example starts programs of Unix");
}
