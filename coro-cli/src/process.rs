//! A process to be read: its program, its mappings, its memory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::door;
use crate::elf::{NoSection, Section, find_section};
use crate::failure::Failure;
use crate::mappings::{self, Mapping};

/// The section that the reading begins with.
const SECTION: &[u8] = b".coro.sight";

const NO_SUCH_PROCESS: i32 = 3;

/// A process whose memory may be read.
pub(crate) struct Process {
    pub(crate) id: u32,
    /// The path of its program, as the system has it.
    pub(crate) program: PathBuf,
    pub(crate) memory: File,
    /// Names the process also if its number is given out again.
    pub(crate) handle: OwnedFd,
}

/// Where a section of the process stands in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InMemory {
    pub(crate) begin: u64,
    pub(crate) size: u64,
}

impl Process {
    pub(crate) fn open(id: u32) -> Result<Self, Failure> {
        let folder = PathBuf::from(format!("/proc/{id}"));
        if !Path::new("/proc/self").exists() {
            return Err(Failure::NoProc);
        }
        if !folder.exists() {
            return Err(Failure::NoSuchProcess(id));
        }
        let handle = door::open(id).map_err(|error| match error.raw_os_error() {
            Some(NO_SUCH_PROCESS) => Failure::NoSuchProcess(id),
            _ => Failure::System(id, error),
        })?;
        let program = fs::read_link(folder.join("exe")).map_err(|error| refused(id, error))?;
        let memory = File::open(folder.join("mem")).map_err(|error| refused(id, error))?;
        Ok(Process {
            id,
            program,
            memory,
            handle,
        })
    }

    /// The number by which the process knows itself: another one, if it is in a container.
    pub(crate) fn id_in_its_namespace(&self) -> u32 {
        let status = fs::read_to_string(self.path("status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let last = numbers.and_then(|numbers| numbers.split_whitespace().last());
        last.and_then(|number| number.parse().ok())
            .unwrap_or(self.id)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.id))
    }

    pub(crate) fn mappings(&self) -> Result<Vec<Mapping>, Failure> {
        let maps = fs::read(self.path("maps")).map_err(|error| refused(self.id, error))?;
        let mappings = mappings::parse(&String::from_utf8_lossy(&maps));
        // A process that has ended, and was not waited for, has no memory any more.
        match mappings.is_empty() {
            true => Err(Failure::Ended(self.id)),
            false => Ok(mappings),
        }
    }

    /// The sections of the program and of its libraries, which may have loops of their own.
    pub(crate) fn sections(&self, mappings: &[Mapping]) -> Result<Vec<InMemory>, Failure> {
        let files: BTreeSet<&Path> = mappings
            .iter()
            .filter_map(|it| it.path.as_deref())
            .collect();
        let mut found = Vec::new();
        let mut other_machine = false;
        for path in files {
            let file = match path == self.program {
                true => File::open(self.path("exe")), // also if another file has its name by now
                false => File::open(
                    self.path("root")
                        .join(path.strip_prefix("/").unwrap_or(path)),
                ),
            };
            match file
                .map_err(NoSection::from)
                .and_then(|file| find_section(&file, SECTION))
            {
                Ok(section) => found.extend(places(section, path, mappings)),
                Err(NoSection::OtherMachine) => other_machine |= path == self.program,
                Err(NoSection::Unreadable(error)) if path == self.program => {
                    return Err(refused(self.id, error));
                }
                Err(_) => {} // a library of another kind, or a file that is no library
            }
        }
        match found.is_empty() {
            true if other_machine => Err(Failure::OtherMachine(self.id)),
            true => Err(Failure::NotOfCoro(self.id, self.program.clone())),
            false => Ok(found),
        }
    }

    /// Whether a debugger or a signal has stopped the process.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state_of_thread(self.id).ends_with("stopped")
    }

    /// Says what the system knows of one thread of the process.
    pub(crate) fn state_of_thread(&self, thread: u32) -> &'static str {
        let stat = fs::read_to_string(self.path(&format!("task/{thread}/stat")));
        let stat = stat.unwrap_or_default();
        let state = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.trim_start().chars().next());
        match state {
            Some('R') => "which runs",
            Some('S') => "which sleeps",
            Some('D') => "which waits for the system",
            Some('T') => "which is stopped",
            Some('t') => "which a debugger has stopped",
            Some(_) => "which has ended",
            None => "which is no thread of the process",
        }
    }
}

/// The places where the section may stand: a page with the end of one segment and the beginning of
/// the next is mapped once for each, and the content of the place tells which of them it is.
fn places(section: Section, path: &Path, mappings: &[Mapping]) -> Vec<InMemory> {
    let begins = mappings.iter().filter_map(|it| {
        let at = section.segment_offset.checked_sub(it.offset)?;
        let is_in = it.path.as_deref() == Some(path) && at < it.end - it.begin;
        is_in.then(|| it.begin + at + (section.address - section.segment_address))
    });
    let size = section.size;
    begins.map(|begin| InMemory { begin, size }).collect()
}

fn refused(id: u32, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Refused(id),
        // The links of a process that has ended lead nowhere, and so do those of the kernel's own.
        io::ErrorKind::NotFound => Failure::Ended(id),
        _ => Failure::System(id, error),
    }
}
