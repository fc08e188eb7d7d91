//! `DumpSignal`: a signal that has the loop write its dump.
//!
//! The dump is a report, unless the program `coro` has sent the signal. That listens meanwhile at an
//! abstract name, which belongs to no folder and leaves nothing behind. The tree is written only to a
//! socket of the same user, or of root: the system itself tells whose socket it is.

use std::ffi::c_int;
use std::io;

use super::{Core, EventLoop};
use crate::report::{ErrorReport, ReportKind};
use crate::sight::TaskTree;
use crate::sys::SignalFlag;

pub(super) struct DumpSignal {
    flag: SignalFlag,
}

impl DumpSignal {
    /// Has the signal wake the loop, and other processes see that it does.
    pub(super) fn install(event_loop: &EventLoop, signal: c_int) -> io::Result<()> {
        let core = &event_loop.core;
        let flag = SignalFlag::new(signal)?;
        core.reactor.wake_by(flag.wake())?;
        core.listed.open_door(signal.unsigned_abs());
        let _ = core.dump_signal.set(DumpSignal { flag }); // installed once, when the loop is built
        Ok(())
    }

    /// The signal asks this loop no more.
    pub(super) fn close(&self) {
        self.flag.close();
    }
}

impl Core {
    /// Asks for a dump if the signal has come.
    #[inline]
    pub(super) fn look_for_signal(&self) {
        if let Some(asked) = self.dump_signal.get()
            && asked.flag.take()
        {
            self.reactor.wake_again_by(asked.flag.wake());
            self.ask(Box::new(|core, tree| core.write_dump(tree)));
        }
    }

    fn write_dump(&self, tree: TaskTree) {
        #[cfg(all(target_os = "linux", feature = "ancillary"))]
        let Some(tree) = reader::hand_over(tree) else {
            return;
        };
        let report = ErrorReport::new(ReportKind::Dump, format!("asked for by a signal\n{tree}"));
        self.scheduler.report(report);
    }
}

#[cfg(all(target_os = "linux", feature = "ancillary"))]
mod reader {
    use std::io::{self, Write};
    use std::os::unix::net::UnixStream;
    use std::process;
    use std::thread;
    use std::time::Duration;

    use crate::sight::TaskTree;
    use crate::sys::{connect_to_own_user, thread_number};

    /// A reader that takes nothing for so long has hung up, or is stopped.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Gives the tree to the program that has sent the signal, if it waits for that; else gives it back.
    pub(super) fn hand_over(tree: TaskTree) -> Option<TaskTree> {
        let name = format!("coro-sight-{}", process::id());
        let Ok(reader) = connect_to_own_user(name.as_bytes()) else {
            return Some(tree);
        };
        let thread = thread_number();
        let kept = tree.clone();
        // The loop does not wait for the reader.
        let writer = thread::Builder::new().name("coro-dump".into());
        match writer.spawn(move || write(reader, thread, &tree)) {
            Ok(_) => None,
            Err(_) => Some(kept),
        }
    }

    fn write(mut reader: UnixStream, thread: u32, tree: &TaskTree) -> io::Result<()> {
        reader.set_nonblocking(false)?;
        reader.set_write_timeout(Some(PATIENCE))?;
        reader.write_all(format!("thread {thread}\n{tree}").as_bytes())
    }
}
