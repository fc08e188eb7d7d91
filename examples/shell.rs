//! An interactive front end of `sh`: runs a line at a time, with the status of each.
//!
//! ```text
//! $ cargo run --example shell
//! $ echo hello | tr a-z A-Z
//! HELLO
//! $ cd /usr && pwd
//! /usr
//! $ name=coro; false
//! status 1
//! $ echo "$name" >&2
//! coro
//! $ exit 3
//! sh: exit status: 3
//! ```
//!
//! At a terminal it prompts for lines; from a pipe or a file it reads them. If the input is empty,
//! as that of `/dev/null`, it runs the lines above. Each line is a complete command. Unix only.

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal, Write};
    use std::process::Stdio;

    use coro::net::{self, StreamReader};
    use coro::process::{Child, ChildStdin, ChildStdout, Command};
    use coro::yield_from;
    use futures::AsyncWriteExt;

    const SCRIPT: [&str; 5] = [
        "echo hello | tr a-z A-Z",
        "cd /usr && pwd",
        "name=coro; false",
        "echo \"$name\" >&2",
        "exit 3",
    ];

    /// Marks the end of a command's output; hardly any command prints this text itself.
    const OVER: &str = "\u{1}over ";

    struct Shell {
        child: Child,
        stdin: ChildStdin,
        stdout: StreamReader<ChildStdout>,
    }

    impl Shell {
        fn start() -> io::Result<Self> {
            // The commands' standard error goes through the same pipe, so that the order is kept.
            let mut command = Command::shell("exec sh 2>&1");
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.kill_on_drop(true).spawn()?;
            let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(io::Error::other(
                    "the pipes that were asked for are not there",
                ));
            };
            Ok(Shell {
                child,
                stdin,
                stdout: StreamReader::new(stdout),
            })
        }

        /// Runs a line and prints its output. Returns whether `sh` goes on.
        #[coro::coroutine]
        fn run(&mut self, line: &str) -> io::Result<bool> {
            let command = format!("{{ {line}\n}} </dev/null; echo \"{OVER}$?\"\n");
            if let Err(error) = yield_from!(self.stdin.write_all(command.as_bytes())) {
                println!("sh reads no more: {error}");
                return Ok(false);
            }
            while let Some(said) = yield_from!(self.stdout.read_line())? {
                match said.trim_end_matches('\n').split_once(OVER) {
                    Some((rest, status)) => {
                        if !rest.is_empty() {
                            println!("{rest}");
                        }
                        if status != "0" {
                            println!("status {status}");
                        }
                        return Ok(true);
                    }
                    None => println!("{}", said.trim_end_matches('\n')),
                }
            }
            Ok(false)
        }
    }

    fn prompt(line: &str) -> io::Result<()> {
        print!("$ {line}");
        io::stdout().flush()
    }

    #[coro::main]
    pub(super) fn main() -> io::Result<()> {
        let mut shell = Shell::start()?;
        let mut input = StreamReader::new(net::stdin()?);
        let is_terminal = io::stdin().is_terminal();
        let mut script = SCRIPT.iter();
        let mut has_input = false;
        let mut goes_on = true;
        while goes_on {
            if is_terminal {
                prompt("")?;
            }
            let line = match yield_from!(input.read_line())? {
                Some(line) => {
                    has_input = true;
                    line.trim_end_matches('\n').to_owned()
                }
                None if has_input || is_terminal => break,
                None => match script.next() {
                    Some(line) => line.to_string(),
                    None => break,
                },
            };
            if !is_terminal {
                prompt(&format!("{line}\n"))?;
            }
            goes_on = yield_from!(shell.run(&line))?;
        }
        let Shell {
            mut child, stdin, ..
        } = shell;
        drop(stdin);
        println!("sh: {}", yield_from!(child.wait())?);
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
