//! `Failure`: the reasons for which a process cannot be read, in words that say what to do.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

/// Why the tasks of a process could not be listed.
#[derive(Debug)]
pub(crate) enum Failure {
    NoProc,
    NoSuchProcess(u32),
    Ended(u32),
    Refused(u32),
    NotOfCoro(u32, PathBuf),
    OtherMachine(u32),
    OtherVersion { id: u32, found: u32, known: u32 },
    Torn(u32),
    System(u32, io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoProc => write!(
                f,
                "this system has no /proc to read other processes by: `coro` needs Linux, and /proc mounted"
            ),
            Failure::NoSuchProcess(id) => write!(f, "there is no process {id}"),
            Failure::Ended(id) => write!(
                f,
                "process {id} has no memory to read: it has ended, or it is a thread of the kernel"
            ),
            Failure::Refused(id) => refused(*id, f),
            Failure::NotOfCoro(id, program) => write!(
                f,
                "process {id} ({}) is no program of coro: neither the program nor a library of it \
                 has the section .coro.sight",
                program.display()
            ),
            Failure::OtherMachine(id) => write!(
                f,
                "process {id} runs a program with addresses of another size than those of this \
                 `coro`: use one that was compiled for the same kind of machine"
            ),
            Failure::OtherVersion { id, found, known } => write!(
                f,
                "process {id} has its tasks in version {found} of the layout, and this `coro` knows \
                 version {known}: use the `coro` of the release that the program was made with"
            ),
            Failure::Torn(id) => write!(
                f,
                "process {id} changes its tasks faster than they can be read: try again, or stop it \
                 meanwhile by `kill -STOP {id}`, and let it go on by `kill -CONT {id}`"
            ),
            Failure::System(id, error) => write!(f, "process {id} cannot be read: {error}"),
        }
    }
}

fn refused(id: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "the system does not let this user read the memory of process {id}: run `coro` as root, or \
         as the user of the process"
    )?;
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "1" => write!(
            f,
            "; for the same user, set kernel.yama.ptrace_scope to 0, as it is 1 and lets only the \
             parent of a process read it"
        ),
        "2" => write!(
            f,
            "; kernel.yama.ptrace_scope is 2, which needs root in any case"
        ),
        "3" => write!(
            f,
            "; kernel.yama.ptrace_scope is 3, which lets no process read another until the machine \
             is started again with another value"
        ),
        _ => Ok(()),
    }
}
