//! Handle of a child process.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::process::{self, ExitStatus, Output};
use std::rc::Rc;

use futures::future::try_join3;
use futures::io::AsyncWriteExt;

use super::pipes::{ChildStderr, ChildStdin, ChildStdout};
use super::running::{Running, Watch};
use crate::sys::process as system;
use crate::wait::turn::let_others_run;

/// How many bytes [`Child::communicate`] reads of a pipe at a time before other tasks run.
const READ_LEN_MAX: u64 = 256 * 1024;

/// A child process. Made by [`Command::spawn`](super::Command::spawn).
///
/// Dropping it closes its pipes, and leaves the child running unless
/// [`kill_on_drop`](super::Command::kill_on_drop) was set. It never becomes a zombie: see the
/// [module](super).
///
/// ```
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
    /// The bytes that `communicate` has read so far.
    read: [Vec<u8>; 2],
}

impl Child {
    /// Takes over a child that has just been started; gives it back with the error if it cannot be
    /// waited for.
    #[track_caller]
    #[inline]
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

    /// Drops this handle without killing the child, whose parts were taken over.
    #[inline]
    pub(super) fn keep_running(mut self) {
        self.kill_on_drop = false;
    }

    /// The child's process id. `None` once the child has ended and been waited for: then another
    /// process may get the number.
    #[inline]
    pub fn id(&self) -> Option<u32> {
        self.running.id()
    }

    /// Waits for the child's end. Closes `stdin` first, as the standard library's `wait` does, so
    /// that a child that reads to the end of its input can end. To go on writing, take the pipe out
    /// of `stdin` first.
    ///
    /// The future borrows nothing: a program may have several, before and after the end, in one
    /// task or many, while it sends signals to the child. Dropping one loses nothing. The future
    /// does not read the child's pipes. A child that writes more than a pipe holds, which may be
    /// only 4 KiB, does not end until its pipe is read; [`communicate`](Self::communicate) does
    /// that.
    ///
    /// # Errors
    ///
    /// If the status was taken elsewhere; see the [module](super). If it is awaited in another loop
    /// than the one in which the child was started.
    #[inline]
    pub fn wait(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let stdin = self.stdin.take();
        drop(stdin);
        let running = self.running.clone();
        async move { running.wait().await }
    }

    /// The child's exit status if it has ended, or else `None`. Does not close `stdin`.
    ///
    /// # Errors
    ///
    /// If the status was taken elsewhere; see the [module](super).
    #[inline]
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.running.try_wait()
    }

    /// Kills the child by `SIGKILL`, which no process can refuse; [`wait`](Self::wait) then gives
    /// its status soon.
    ///
    /// # Errors
    ///
    /// As for [`send_signal`](Self::send_signal).
    #[inline]
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(system::KILL)
    }

    /// Asks the child to end, by `SIGTERM`.
    ///
    /// # Errors
    ///
    /// As for [`send_signal`](Self::send_signal).
    #[inline]
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(system::TERMINATE)
    }

    /// Sends the child a signal, given by its number, such as `SIGHUP` of the crate `libc`.
    ///
    /// It never reaches another process that got the same number: a pidfd is used if there is one,
    /// and no signal is sent once the child has been waited for. That is no error, as in Python.
    /// With [`kill_group`](super::Command::kill_group) the signal goes to the whole group, as long
    /// as the child itself has not been waited for.
    ///
    /// # Errors
    ///
    /// If the system refuses, as for a child that now runs as another user; and if the number is
    /// not that of a named signal: real-time signals have no names.
    #[inline]
    pub fn send_signal(&self, signal: i32) -> io::Result<()> {
        self.running.send_signal(signal)
    }

    /// Writes `input` to the child's standard input and closes that, reads its standard output and
    /// standard error to their ends, and waits for its end: all at the same time, so that neither
    /// side blocks the other, for any amount of data.
    ///
    /// Streams that are not piped are left out; input for a child whose `stdin` is not piped is an
    /// error. A child that does not read all of its input is no error. The counterpart of
    /// `Process.communicate`.
    ///
    /// The outputs end when *all* processes that share their descriptors have closed them,
    /// including processes that the child has started and left behind. To limit the time, use
    /// [`timeout`](crate::time::timeout). If the future is dropped, the bytes that were read are
    /// kept here, and another call gives them along with the rest. It is then unknown how much of
    /// the input was written, and the pipe is closed.
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
    #[inline]
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        self.communicate([]).await
    }
}

#[inline]
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

impl Drop for Child {
    #[inline]
    fn drop(&mut self) {
        if self.kill_on_drop && self.running.is_ours() {
            // If the system refuses, the child runs on until it ends by itself.
            let _ = self.kill();
        }
    }
}

impl fmt::Debug for Child {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("id", &self.id())
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}

/// The piped streams of a child.
struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    #[track_caller]
    #[inline]
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
