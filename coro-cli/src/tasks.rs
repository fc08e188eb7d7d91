//! `Snapshot`: the loops and tasks of a process, as they were read.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::map::{self, Found, HEADER_MAX, Map};
use crate::mappings::Mapping;
use crate::memory::{Memory, Unread};
use crate::process::{InMemory, Process};

/// How often a process that changes its tasks meanwhile is read anew.
const ATTEMPTS: u32 = 20;

/// No process has more loops, or more tasks in a loop; a list that goes on was torn.
const LOOPS_MAX: usize = 1 << 16;
const TASKS_MAX: usize = 1 << 28;

/// The loops of a process.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) loops: Vec<Loop>,
    /// Every list was read whole, and did not change meanwhile.
    pub(crate) is_exact: bool,
}

/// One event loop.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) thread: u32,
    /// The number of the signal that has the loop write its dump; zero if there is none.
    pub(crate) door: u32,
    /// How many tasks and callouts are ready to run.
    pub(crate) ready: u64,
    /// The main future, then the tasks in the order in which they were spawned.
    pub(crate) tasks: Vec<Task>,
    is_exact: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// Zero for a main future.
    pub(crate) id: u64,
    /// The number of the task that spawned it.
    pub(crate) parent: Option<u64>,
    /// The name that was given to it.
    pub(crate) name: Option<String>,
    pub(crate) state: State,
    pub(crate) spawned_at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Running,
    Ready,
    Waiting,
    Cancelled,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Ready => "ready",
            State::Waiting => "waiting",
            State::Cancelled => "cancelled",
        }
    }
}

impl Snapshot {
    /// Reads the tasks of a process, again if they change meanwhile. If they change each time, the
    /// fullest list is given, and said not to be exact.
    pub(crate) fn take(process: &Process) -> Result<Self, Failure> {
        let mut best: Option<Snapshot> = None;
        for attempt in 0..ATTEMPTS {
            let mappings = process.mappings()?;
            let sections = process.sections(&mappings)?;
            match read(process, &mappings, &sections) {
                Ok(snapshot) if snapshot.is_exact => return Ok(snapshot),
                Ok(snapshot) => {
                    let fuller = |best: &Snapshot| snapshot.len() > best.len();
                    if best.as_ref().is_none_or(fuller) {
                        best = Some(snapshot);
                    }
                }
                Err(Torn::Read(Unread::Ended)) => return Err(Failure::Ended(process.id)),
                Err(Torn::Read(Unread::Torn)) => {}
                Err(Torn::Failed(failure)) => return Err(failure),
            }
            thread::sleep(Duration::from_micros(100) * attempt);
        }
        best.ok_or(Failure::Torn(process.id))
    }

    fn len(&self) -> usize {
        self.loops.iter().map(|it| it.tasks.len()).sum()
    }
}

enum Torn {
    Read(Unread),
    Failed(Failure),
}

impl From<Unread> for Torn {
    fn from(unread: Unread) -> Self {
        Torn::Read(unread)
    }
}

fn read(process: &Process, mappings: &[Mapping], sections: &[InMemory]) -> Result<Snapshot, Torn> {
    let mut memory = Memory::new(&process.memory, mappings);
    let (mut loops, mut maps, mut other) = (Vec::new(), 0, None);
    for section in sections {
        for found in map::read_all(&mut memory, *section)? {
            match found {
                Found::Nothing => {}
                Found::OtherVersion(version) => other = Some(version),
                Found::Map(map, _) => {
                    maps += 1;
                    let reader = Reader {
                        process,
                        mappings,
                        map: &map,
                        places: HashMap::new(),
                        memory: Memory::new(&process.memory, mappings),
                    };
                    reader.loops(&mut loops)?;
                }
            }
        }
    }
    match other {
        Some(found) if loops.is_empty() => Err(Torn::Failed(Failure::OtherVersion {
            id: process.id,
            found,
            known: map::VERSION,
        })),
        _ if maps == 0 => Err(Torn::Failed(Failure::NotOfCoro(
            process.id,
            process.program.clone(),
        ))),
        _ => {
            loops.sort_by_key(|it: &Loop| it.thread);
            let is_exact = loops.iter().all(|it| it.is_exact);
            Ok(Snapshot { loops, is_exact })
        }
    }
}

/// Reads the tasks that one map leads to.
struct Reader<'a> {
    process: &'a Process,
    mappings: &'a [Mapping],
    map: &'a Map,
    memory: Memory<'a>,
    /// The locations that were read already, by their addresses: many tasks have one in common.
    places: HashMap<u64, Option<String>>,
}

/// The part of a scheduler that shows whether its list has changed.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Ends {
    first: u64,
    last: u64,
    last_id: u64,
}

impl Reader<'_> {
    fn loops(mut self, into: &mut Vec<Loop>) -> Result<(), Unread> {
        let mut record = self.map.loops;
        for _ in 0..LOOPS_MAX {
            if record == 0 {
                return Ok(());
            }
            let fields = &self.map.in_record;
            let scheduler = self.memory.word(record + fields.scheduler)?;
            let inbox = self.memory.word(record + fields.inbox)?;
            let thread = self.memory.half_word(record + fields.thread)?;
            let door = self.memory.half_word(record + fields.door)?;
            record = self.memory.word(record + fields.next)?;
            if scheduler != 0 {
                let read = self.one_loop(scheduler, inbox)?;
                into.push(Loop {
                    thread,
                    door,
                    ..read
                });
            }
        }
        Err(Unread::Torn)
    }

    fn one_loop(&mut self, scheduler: u64, inbox: u64) -> Result<Loop, Unread> {
        let before = ends(&mut self.memory, self.map, scheduler)?;
        let fields = &self.map.in_scheduler;
        let running = self.memory.word(scheduler + fields.running)?;
        let main = self.memory.word(scheduler + fields.main)?;
        let ready = self.memory.word(scheduler + fields.ready)?;
        let mut tasks = Vec::new();
        if main != 0 {
            tasks.push(self.header(main, inbox)?.task);
        }
        let whole = self.list(before, inbox, &mut tasks)?;
        let agrees = running == 0 || self.add_running(running, inbox, &mut tasks);
        // Not from the pieces that were kept.
        let mut anew = Memory::new(&self.process.memory, self.mappings);
        let after = ends(&mut anew, self.map, scheduler)?;
        Ok(Loop {
            thread: 0,
            door: 0,
            ready,
            tasks,
            is_exact: whole && agrees && before == after,
        })
    }

    /// Adds the running task if it is in the list no more, as one that drops its own future. Gives
    /// whether it was read as running.
    fn add_running(&mut self, at: u64, inbox: u64, tasks: &mut Vec<Task>) -> bool {
        let Ok(Header { task, .. }) = self.header(at, inbox) else {
            return false;
        };
        let runs = task.state == State::Running;
        if tasks.iter().all(|other| other.id != task.id) {
            tasks.push(task);
        }
        runs
    }

    /// Follows the list of unfinished tasks; gives whether every link led to the next task.
    fn list(&mut self, ends: Ends, inbox: u64, into: &mut Vec<Task>) -> Result<bool, Unread> {
        let (mut before, mut at) = (0, ends.first);
        while at != 0 && into.len() < TASKS_MAX {
            let Ok(header) = self.header(at, inbox) else {
                return Ok(false);
            };
            if header.previous != before {
                return Ok(false);
            }
            into.push(header.task);
            (before, at) = (at, header.next);
        }
        Ok(before == ends.last)
    }

    fn header(&mut self, at: u64, inbox: u64) -> Result<Header, Unread> {
        let mut bytes = [0; HEADER_MAX];
        let bytes = &mut bytes[..self.map.header_length];
        self.memory.read(at, bytes)?;
        let fields = &self.map.in_header;
        if word(bytes, fields.inbox) != inbox {
            return Err(Unread::Torn); // another thing has the memory by now
        }
        let id = word(bytes, fields.id);
        // The lower half of the parent's number; that of the task itself if it has no parent.
        let after = (id as u32).wrapping_sub(word(bytes, fields.spawned_by) as u32);
        let after = u64::from(after);
        let task = Task {
            id,
            parent: id.checked_sub(after).filter(|_| after != 0),
            name: self.name(word(bytes, fields.extra))?,
            state: self.state(word(bytes, fields.state) as u32 & 0xFFFF)?,
            spawned_at: self.place(word(bytes, fields.origin))?,
        };
        Ok(Header {
            task,
            previous: word(bytes, fields.previous),
            next: word(bytes, fields.next),
        })
    }

    fn state(&self, bits: u32) -> Result<State, Unread> {
        let has = |bit: u32| bits & bit != 0;
        match &self.map.bits {
            known if has(known.done) => Err(Unread::Torn), // it left the list meanwhile
            known if has(known.running) => Ok(State::Running),
            known if has(known.cancelled) => Ok(State::Cancelled),
            known if has(known.queued) => Ok(State::Ready),
            _ => Ok(State::Waiting),
        }
    }

    fn name(&mut self, extra: u64) -> Result<Option<String>, Unread> {
        if extra == 0 {
            return Ok(None);
        }
        let text = extra + self.map.in_header.name_in_extra;
        let address = self.memory.word(text + self.map.text.address)?;
        if address == 0 {
            return Ok(None);
        }
        let length = self.memory.word(text + self.map.text.length)?;
        self.memory.text(address, length).map(Some)
    }

    fn place(&mut self, location: u64) -> Result<Option<String>, Unread> {
        let Some(fields) = self.map.location else {
            return Ok(None);
        };
        if let Some(known) = self.places.get(&location) {
            return Ok(known.clone());
        }
        let file = self.memory.word(location + fields.file)?;
        let length = self.memory.word(location + fields.file_length)?;
        let length = length
            .checked_sub(fields.counts_zero.into())
            .ok_or(Unread::Torn)?;
        let file = self.memory.text(file, length)?;
        let line = self.memory.half_word(location + fields.line)?;
        let column = self.memory.half_word(location + fields.column)?;
        let place = Some(format!("{file}:{line}:{column}"));
        self.places.insert(location, place.clone());
        Ok(place)
    }
}

/// The word at that offset, which is within the header's length.
fn word(bytes: &[u8], at: u64) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at as usize..at as usize + 8]);
    u64::from_ne_bytes(word)
}

struct Header {
    task: Task,
    previous: u64,
    next: u64,
}

fn ends(memory: &mut Memory<'_>, map: &Map, scheduler: u64) -> Result<Ends, Unread> {
    Ok(Ends {
        first: memory.word(scheduler + map.in_scheduler.first)?,
        last: memory.word(scheduler + map.in_scheduler.last)?,
        last_id: memory.word(scheduler + map.in_scheduler.last_id)?,
    })
}
