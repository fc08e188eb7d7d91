//! Commands: programs to run, with their settings.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{self, ExitStatus, Output, Stdio};
use std::task::Poll;
use std::time::Duration;

use super::child::Child;
use super::orphans;
use crate::event_loop::LoopHandle;
use crate::sys::process as system;
use crate::wait::until::Until;

/// A program to be run, with its arguments and environment: [`std::process::Command`], whose
/// children can be awaited.
///
/// Most methods of that have the same names here; the others are called through
/// [`as_std_mut`](Self::as_std_mut). A command can be used several times. The counterpart of
/// `asyncio.create_subprocess_exec` and `asyncio.create_subprocess_shell`.
///
/// ```
/// use coro::process::Command;
/// use std::io;
/// use std::time::Duration;
///
/// coro::run(async {
///     let status = Command::shell("exit 3").status().await?;
///     assert_eq!(status.code(), Some(3));
///
///     let mut endless = Command::new("sleep");
///     let killed = endless.arg("3600").timeout(Duration::from_millis(10)).status().await;
///     assert_eq!(killed.unwrap_err().kind(), io::ErrorKind::TimedOut);
///
///     let missing = Command::new("no-such-program").spawn();
///     assert!(missing.unwrap_err().to_string().starts_with("cannot run \"no-such-program\": "));
///     io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
#[doc(alias("create_subprocess_exec", "Popen"))]
pub struct Command {
    std: process::Command,
    has_stdin: bool,
    has_stdout: bool,
    has_stderr: bool,
    has_group: bool,
    is_shell: bool,
    /// Unless it is set, children of `output` and `status` are killed, others not.
    kill_on_drop: Option<bool>,
    kill_group: bool,
    timeout: Option<Duration>,
}

impl Command {
    /// A program without arguments; a name without `/` is searched for in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        process::Command::new(program).into()
    }

    /// A line for the shell, `sh -c`.
    ///
    /// The shell interprets the line, so it must not contain untrusted text. Pass such text as an
    /// [`arg`](Self::arg): the line refers to its arguments by `"$0"`, `"$1"` and so on.
    #[doc(alias = "create_subprocess_shell")]
    pub fn shell(line: impl AsRef<OsStr>) -> Self {
        let mut shell = Self::new("sh");
        shell.arg("-c").arg(line);
        shell.is_shell = true;
        shell
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.std.arg(argument);
        self
    }

    /// Adds several arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Self {
        self.std.args(arguments);
        self
    }

    /// Sets the name by which the program sees itself called. Unix only.
    pub fn arg0(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.std.arg0(name);
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.std.env(name, value);
        self
    }

    /// Sets several variables of the child's environment.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        self.std.envs(variables);
        self
    }

    /// Keeps the child from inheriting a variable.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.std.env_remove(name);
        self
    }

    /// Keeps the child from inheriting any variable.
    #[inline]
    pub fn env_clear(&mut self) -> &mut Self {
        self.std.env_clear();
        self
    }

    /// Sets the directory in which the child starts.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.std.current_dir(directory);
        self
    }

    /// Sets the child's standard input. Default: that of this process, and for
    /// [`output`](Self::output) none.
    pub fn stdin(&mut self, stdin: impl Into<Stdio>) -> &mut Self {
        self.std.stdin(stdin);
        self.has_stdin = true;
        self
    }

    /// Sets the child's standard output. Default: that of this process, and for
    /// [`output`](Self::output) a pipe.
    pub fn stdout(&mut self, stdout: impl Into<Stdio>) -> &mut Self {
        self.std.stdout(stdout);
        self.has_stdout = true;
        self
    }

    /// Sets the child's standard error. Default: that of this process, and for
    /// [`output`](Self::output) a pipe.
    pub fn stderr(&mut self, stderr: impl Into<Stdio>) -> &mut Self {
        self.std.stderr(stderr);
        self.has_stderr = true;
        self
    }

    /// Sets the user that the child runs as. Makes starting it slow; see the [module](super).
    #[inline]
    pub fn uid(&mut self, id: u32) -> &mut Self {
        self.std.uid(id);
        self
    }

    /// Sets the group of users that the child runs as. Makes starting it slow; see the
    /// [module](super).
    #[inline]
    pub fn gid(&mut self, id: u32) -> &mut Self {
        self.std.gid(id);
        self
    }

    /// Puts the child into a process group; 0 means a new group that it leads.
    #[inline]
    pub fn process_group(&mut self, group: i32) -> &mut Self {
        self.std.process_group(group);
        self.has_group = true;
        self
    }

    /// Makes the child the leader of a new process group, and sends its signals (including killing
    /// on drop and the [`timeout`](Self::timeout)) to the whole group, which includes the processes
    /// that the child starts. Default: `false`, except for the [`output`](Self::output) of a
    /// [`shell`](Self::shell) line.
    ///
    /// A group of its own does not get the Ctrl-C of the terminal, and may not read from it.
    #[inline]
    pub fn kill_group(&mut self, kill_group: bool) -> &mut Self {
        if kill_group {
            self.std.process_group(0);
        }
        self.has_group = true;
        self.kill_group = kill_group;
        self
    }

    /// Whether to kill a child when its [`Child`] is dropped, or when the future of
    /// [`output`](Self::output) or [`status`](Self::status) that runs it is dropped, as by a
    /// [`timeout`](crate::time::timeout) or when its task is cancelled. The child is reaped in any case.
    ///
    /// Default: a dropped `Child` runs on; `output` and `status` kill their child, because nothing
    /// else could end it.
    #[inline]
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Self {
        self.kill_on_drop = Some(kill_on_drop);
        self
    }

    /// Limits the time of [`output`](Self::output) and [`status`](Self::status). When it is over
    /// they kill the child, wait for its end, and give the error
    /// [`TimedOut`](io::ErrorKind::TimedOut). The counterpart of the `timeout` of Python's
    /// `subprocess.run`.
    #[inline]
    pub fn timeout(&mut self, duration: Duration) -> &mut Self {
        self.timeout = Some(duration);
        self
    }

    /// The standard library's form of the command.
    #[inline]
    pub fn as_std(&self) -> &process::Command {
        &self.std
    }

    /// The standard library's form of the command, to be changed. [`output`](Self::output) does not
    /// know of streams that are set there.
    #[inline]
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.std
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// The system's error, of the same kind, with the name of the program. If the child was started
    /// but cannot be waited for, because descriptors have run out, it is killed and reaped before
    /// this returns.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and in a [simulation](crate::testing); nothing is started.
    #[track_caller]
    #[inline]
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.start(self.kill_on_drop == Some(true))
    }

    #[track_caller]
    #[inline]
    fn start(&mut self, kill_on_drop: bool) -> io::Result<Child> {
        LoopHandle::current(); // panics with the reason
        LoopHandle::refuse_in_simulation("subprocess");
        orphans::look_again();
        let child = self.std.spawn().map_err(|error| self.cannot_run(error))?;
        let taken = Child::new(child, self.kill_group, kill_on_drop);
        taken.map_err(|(error, child)| self.give_up(child, error))
    }

    /// Runs the program and waits for its end.
    ///
    /// Dropping the future before that kills the child, which is then reaped, unless
    /// [`kill_on_drop(false)`](Self::kill_on_drop) is set. Processes that the child started live on,
    /// as the programs in a [`shell`](Self::shell) line do: the child stays in our process group,
    /// because it may read from the terminal. [`kill_group`](Self::kill_group) is for a child that
    /// does not read from it.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn) and [`Child::wait`], and if it takes longer than the
    /// [`timeout`](Self::timeout).
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    #[inline]
    pub async fn status(&mut self) -> io::Result<ExitStatus> {
        let mut child = self.start(self.kill_on_drop != Some(false))?;
        let ended = child.wait();
        self.in_time(child, async |_: &mut Child| ended.await).await
    }

    /// Runs the program, waits for its end, and collects its output.
    ///
    /// Unless they are set otherwise, the child's standard input is empty, and its standard output
    /// and standard error are collected. These settings stay for further children of this command.
    /// [`Child::communicate`] says when the outputs end.
    ///
    /// Dropping the future before the end kills the child, which is then reaped, unless
    /// [`kill_on_drop(false)`](Self::kill_on_drop) is set. A [`shell`](Self::shell) whose standard
    /// input and process group were not set is killed with all processes that it started: it leads a
    /// group of its own, as with [`kill_group`](Self::kill_group), also as a further child of this
    /// command. Processes that other programs started live on, unless `kill_group` is set.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn) and [`Child::communicate`], and if it takes longer than the
    /// [`timeout`](Self::timeout).
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    #[inline]
    pub async fn output(&mut self) -> io::Result<Output> {
        if self.is_shell && !self.has_stdin && !self.has_group {
            self.kill_group(true); // it cannot miss the terminal, of which it does not read
        }
        self.pipe_streams(Stdio::null);
        let child = self.start(self.kill_on_drop != Some(false))?;
        self.in_time(child, async |child: &mut Child| child.communicate([]).await)
            .await
    }

    /// Starts the program with pipes for its outputs, unless they are set otherwise.
    #[track_caller]
    #[inline]
    pub(super) fn spawn_piped(&mut self, stdin: fn() -> Stdio) -> io::Result<Child> {
        self.pipe_streams(stdin);
        self.spawn()
    }

    #[inline]
    fn pipe_streams(&mut self, stdin: fn() -> Stdio) {
        if !self.has_stdin {
            self.stdin(stdin());
        }
        if !self.has_stdout {
            self.stdout(Stdio::piped());
        }
        if !self.has_stderr {
            self.stderr(Stdio::piped());
        }
    }

    async fn in_time<T>(
        &self,
        mut child: Child,
        work: impl AsyncFnOnce(&mut Child) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(limit) = self.timeout else {
            return work(&mut child).await;
        };
        if let Some(done) = within(limit, work(&mut child)).await {
            return done;
        }
        child.kill()?;
        child.wait().await?;
        let program = self.std.get_program();
        let message = format!("{program:?} was killed, as it took longer than {limit:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    }

    #[inline]
    fn cannot_run(&self, error: io::Error) -> io::Error {
        self.explain("cannot run", error)
    }

    /// Kills a child that cannot be waited for; makes the error for that.
    #[inline]
    fn give_up(&self, mut child: process::Child, error: io::Error) -> io::Error {
        let killed = match self.kill_group {
            true => system::send_signal_to_group(child.id(), system::KILL),
            false => child.kill(),
        };
        match killed {
            Ok(()) => drop(child.wait()),
            Err(_) => orphans::adopt(child), // another user's by now
        }
        self.explain("cannot wait for, and have therefore killed,", error)
    }

    #[inline]
    fn explain(&self, failed: &'static str, error: io::Error) -> io::Error {
        let failure = CommandFailure {
            failed,
            program: self.std.get_program().into(),
            directory: self.std.get_current_dir().map(Path::to_path_buf),
            error,
        };
        io::Error::new(failure.error.kind(), failure)
    }
}

/// The output of `work`; `None` if it takes longer than `limit`.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut until = Until::After(limit);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => until.poll(cx).map(|()| None),
    })
    .await
}

impl From<process::Command> for Command {
    /// The settings of its standard streams are not known: [`output`](Command::output) sets them
    /// anew.
    #[inline]
    fn from(std: process::Command) -> Self {
        Command {
            std,
            has_stdin: false,
            has_stdout: false,
            has_stderr: false,
            has_group: false,
            is_shell: false,
            kill_on_drop: None,
            kill_group: false,
            timeout: None,
        }
    }
}

impl fmt::Debug for Command {
    /// Formats it as a shell command.
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}

/// The error of a child that could not be started or waited for.
#[derive(Debug)]
struct CommandFailure {
    failed: &'static str,
    program: OsString,
    directory: Option<PathBuf>,
    error: io::Error,
}

impl fmt::Display for CommandFailure {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.failed, self.program)?;
        if let Some(directory) = &self.directory {
            write!(f, " in {directory:?}")?;
        }
        write!(f, ": {}", self.error)
    }
}

impl std::error::Error for CommandFailure {
    #[inline]
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
