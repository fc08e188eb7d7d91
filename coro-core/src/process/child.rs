//! A child process, as whoever started it has it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::process::{self, ExitStatus, Output};
use std::rc::Rc;
use std::task::Poll;

use futures::future::try_join3;
use futures::io::AsyncWriteExt;

use super::pipes::{ChildStderr, ChildStdin, ChildStdout};
use super::running::{Running, Watch};
use crate::sys::process as system;

/// What [`Child::communicate`] reads of a pipe before others have their turn.
const READ_LEN_MAX: u64 = 256 * 1024;

/// A child process. Made by [`Command::spawn`](super::Command::spawn).
///
/// Dropping it closes its pipes, and leaves the child running unless
/// [`kill_on_drop`](super::Command::kill_on_drop) was set. It never becomes a zombie: see the
/// [module](super).
///
/// ```
/// # use coro_core as coro;
/// use coro::process::Command;
/// use std::process::Stdio;
///
/// coro::run(async {
///     let mut child = Command::new("sleep").arg("3600").spawn()?;
///     let ended = child.wait();
///     child.terminate()?;
///     assert!(!ended.await?.success());
///     assert_eq!(child.id(), None);
///
///     let mut sort = Command::new("sort");
///     let mut child = sort.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
///     assert_eq!(child.communicate("b\na\n").await?.stdout, b"a\nb\n");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct Child {
    /// The pipe to its standard input, if that was set to be piped.
    pub stdin: Option<ChildStdin>,
    /// The pipe from its standard output, if that was set to be piped.
    pub stdout: Option<ChildStdout>,
    /// The pipe from its standard error, if that was set to be piped.
    pub stderr: Option<ChildStderr>,
    pub(super) running: Rc<Running>,
    kill_on_drop: bool,
    /// What `communicate` has read so far.
    read: [Vec<u8>; 2],
}

impl Child {
    /// Takes over a child that has just been started; gives it back if it cannot be waited for.
    #[track_caller]
    pub(super) fn new(
        mut child: process::Child,
        is_group: bool,
        kill_on_drop: bool,
    ) -> Result<Self, (io::Error, process::Child)> {
        match Pipes::take(&mut child).and_then(|pipes| Ok((pipes, Watch::new(child.id())?))) {
            Err(error) => Err((error, child)),
            Ok((pipes, watch)) => Ok(Child {
                stdin: pipes.stdin,
                stdout: pipes.stdout,
                stderr: pipes.stderr,
                running: Running::new(child, watch, is_group),
                kill_on_drop,
                read: Default::default(),
            }),
        }
    }

    /// Leaves it to somebody who has the rest of it.
    pub(super) fn keep_running(mut self) {
        self.kill_on_drop = false;
    }

    /// Its process id; `None` once it has ended and been waited for, when the number may be
    /// another's.
    pub fn id(&self) -> Option<u32> {
        self.running.id()
    }

    /// Waits for its end. Closes `stdin` first, as std's `wait` does, so that a child that reads to
    /// its end can come to one: take the pipe out of here to go on writing.
    ///
    /// The future borrows nothing: any number of them may be had, before and after the end, in one
    /// task or several, while the child is sent signals. Dropping one loses nothing. It does not
    /// read the child's pipes: a child that writes more than they hold, which may be as little as 4
    /// KiB, ends only when somebody reads them; [`communicate`](Self::communicate) does.
    ///
    /// # Errors
    ///
    /// If something else has taken the status; see the [module](super). In another loop than that
    /// in which the child was started, which alone is told of its end.
    pub fn wait(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let stdin = self.stdin.take();
        drop(stdin);
        let running = self.running.clone();
        async move { running.wait().await }
    }

    /// Its exit status if it has ended, or else `None`. Leaves `stdin` as it is.
    ///
    /// # Errors
    ///
    /// If something else has taken the status; see the [module](super).
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.running.try_wait()
    }

    /// Kills it by `SIGKILL`, which no process can refuse; [`wait`](Self::wait) then gives its
    /// status soon.
    ///
    /// # Errors
    ///
    /// As for [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(system::KILL)
    }

    /// Asks it to end by `SIGTERM`.
    ///
    /// # Errors
    ///
    /// As for [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(system::TERMINATE)
    }

    /// Sends it a signal, given by its number, such as `SIGHUP` of the crate `libc`.
    ///
    /// It never reaches another process that has come to have the same number: where there is a
    /// pidfd the signal goes through that, and nothing is sent once the child has been waited for,
    /// which is no error, as in Python. With
    /// [`kill_group`](super::Command::kill_group) it goes to the whole group, for as long as the
    /// child itself has not been waited for.
    ///
    /// # Errors
    ///
    /// If the system refuses, as for a child that has become another user's; and if the number is
    /// not that of a signal with a name, as those of real-time signals are not.
    pub fn send_signal(&self, signal: i32) -> io::Result<()> {
        self.running.send_signal(signal)
    }

    /// Writes `input` to its standard input and closes that, reads its standard output and standard
    /// error to their ends, and waits for its end: all at once, so that neither side can hold up
    /// the other, however much it is.
    ///
    /// What is not piped is left out; giving input to a child whose `stdin` is not piped is an
    /// error. A child that does not read all of its input is none. The counterpart of
    /// `Process.communicate`.
    ///
    /// The end of what it writes comes when *all* processes that have its descriptors are done with
    /// them, also those that it has started and left behind. To wait no longer than some time, use
    /// [`timeout`](crate::timeout). If this is dropped, what was read by then is kept here, and
    /// another call gives it along with the rest; of the input it is unknown how much was written,
    /// and the pipe is closed.
    ///
    /// # Errors
    ///
    /// If reading, writing or waiting fails.
    pub async fn communicate(&mut self, input: impl AsRef<[u8]>) -> io::Result<Output> {
        let stdin = self.stdin.take();
        let [out, err] = &mut self.read;
        try_join3(
            feed(stdin, input.as_ref()),
            async {
                while let Some(pipe) = &self.stdout {
                    if pipe.read_some(out, READ_LEN_MAX).await? {
                        self.stdout = None;
                    }
                    let_others_run().await;
                }
                Ok(())
            },
            async {
                while let Some(pipe) = &self.stderr {
                    if pipe.read_some(err, READ_LEN_MAX).await? {
                        self.stderr = None;
                    }
                    let_others_run().await;
                }
                Ok(())
            },
        )
        .await?;
        let status = self.running.wait().await?;
        let [stdout, stderr] = mem::take(&mut self.read);
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Reads its standard output and standard error to their ends, and waits for its end.
    ///
    /// As [`communicate`](Self::communicate) without input.
    ///
    /// # Errors
    ///
    /// If reading or waiting fails.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        self.communicate([]).await
    }
}

async fn feed(stdin: Option<ChildStdin>, input: &[u8]) -> io::Result<()> {
    match stdin {
        None if input.is_empty() => Ok(()),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the child's standard input is no pipe: set stdin(Stdio::piped()) before it is spawned",
        )),
        Some(mut stdin) => match stdin.write_all(input).await {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        },
    }
}

/// Comes back in the loop's next turn.
pub(super) async fn let_others_run() {
    let mut again = false;
    poll_fn(|cx| {
        if mem::replace(&mut again, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.kill_on_drop && self.running.is_ours() {
            // Refused by the system, it is left to end by itself.
            let _ = self.kill();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("id", &self.id())
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}

/// The pipes that were asked for.
struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    #[track_caller]
    fn take(child: &mut process::Child) -> io::Result<Self> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Ok(Pipes {
            stdin: stdin.map(ChildStdin::from_std).transpose()?,
            stdout: stdout.map(ChildStdout::from_std).transpose()?,
            stderr: stderr.map(ChildStderr::from_std).transpose()?,
        })
    }
}
