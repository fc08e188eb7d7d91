//! Children of the standard library beside the loop: the way of programs for Windows.

use std::env;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use coro::threads::to_thread;
use coro::{gather, sleep, timeout};

fn this_program(test: &str) -> Command {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", test, "--ignored"]);
    program
}

/// The guide's function of this name.
async fn status_within(command: &mut Command, limit: Duration) -> io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    let ended = async {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    if let Ok(status) = timeout(limit, ended).await {
        return status;
    }
    child.kill()?;
    child.wait()?;
    Err(io::ErrorKind::TimedOut.into())
}

#[test]
#[ignore = "it is the child of the tests below"]
fn waits_for_the_end_of_its_input() {
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[coro::test(real)]
async fn a_thread_collects_the_output_while_the_loop_goes_on() {
    let mut child = this_program("children_by_std::waits_for_the_end_of_its_input");
    let (output, ()) = gather((
        to_thread(move || child.stdin(Stdio::null()).output()),
        sleep(Duration::from_millis(1)),
    ))
    .await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[coro::test(real)]
async fn a_child_that_takes_too_long_is_killed() {
    let mut child = this_program("children_by_std::waits_for_the_end_of_its_input");
    child.stdin(Stdio::piped()).stdout(Stdio::null());
    let late = status_within(&mut child, Duration::from_millis(50)).await;
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let ended = status_within(child.stdin(Stdio::null()), Duration::from_secs(60)).await;
    assert!(ended.unwrap().success());
}
