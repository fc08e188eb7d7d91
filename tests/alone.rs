//! What needs a process to itself: forks, counts of descriptors.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "a fork is nothing that safe Rust offers")
)]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read, Write};
    use std::net;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::{Poll, Waker};
    use std::time::Duration;

    use coro::EventLoop;
    use coro::event_loop::ReportKind;
    use coro::net::{TcpListener, TcpStream, UnixListener};
    use coro::process::Command;
    use coro::signal::SignalKind;
    use futures::AsyncReadExt as _;
    use rustix::process::{Signal, getpid, kill_process};

    unsafe extern "C" {
        safe fn fork() -> i32;
        unsafe fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        safe fn _exit(code: i32) -> !;
    }

    const LONG: Duration = Duration::from_secs(20);

    pub(super) fn main() {
        closed_loops_leave_no_descriptor_to_their_wakers();
        a_child_drops_its_copies_and_the_parent_serves_on();
        a_child_lives_on_after_the_parent_has_closed();
        a_loop_does_not_run_in_a_forked_process();
        a_fork_within_a_task_panics_where_the_loop_would_wait();
        a_fork_leaves_threads_and_processes_to_the_parent();
        a_watched_loop_keeps_its_thread_and_its_signal_in_the_parent();
        println!("all is well");
    }

    /// Runs `f` in a forked process; gives whether it returned `true`, once waited for.
    fn in_a_fork(f: impl FnOnce() -> bool) -> Forked {
        match fork() {
            0 => {
                let good = catch_unwind(AssertUnwindSafe(f)).unwrap_or(false);
                _exit(if good { 0 } else { 1 })
            }
            pid => {
                assert!(pid > 0, "no fork");
                Forked(pid)
            }
        }
    }

    #[must_use]
    struct Forked(i32);

    impl Forked {
        fn ended_well(self) -> bool {
            let mut status = 0;
            // SAFETY: the status is written to a variable that is there.
            let waited = unsafe { waitpid(self.0, &raw mut status, 0) };
            waited == self.0 && status == 0
        }
    }

    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    fn closed_loops_leave_no_descriptor_to_their_wakers() {
        let waker_of_a_closed_loop = || -> Waker {
            let mut event_loop = EventLoop::new().unwrap();
            let task = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone()));
            let task = event_loop.handle().spawn(task);
            event_loop.run_until_complete(task).unwrap().unwrap()
        };
        let first = waker_of_a_closed_loop();
        let before = descriptors();
        let wakers: Vec<Waker> = (0..50).map(|_| waker_of_a_closed_loop()).collect();
        assert_eq!(descriptors(), before);
        wakers.iter().for_each(Waker::wake_by_ref);
        let other = std::thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
        other.join().unwrap();
        first.wake();
    }

    /// A loop with what it may be told of.
    struct Served {
        listener: TcpListener,
        unix: UnixListener,
        open: TcpStream,
        peer: net::TcpStream,
        event_loop: EventLoop,
    }

    impl Served {
        fn new() -> Self {
            let mut event_loop = EventLoop::new().unwrap();
            let name = format!("coro-alone-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_file(&path); // from an earlier one of the same process
            let (listener, unix, open, peer) = event_loop
                .run_until_complete(async {
                    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                    let unix = UnixListener::bind(path).unwrap();
                    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                    let (open, _) = listener.accept().await.unwrap();
                    (listener, unix, open, peer)
                })
                .unwrap();
            Served {
                listener,
                unix,
                open,
                peer,
                event_loop,
            }
        }

        /// Has a client come to each descriptor while the loop waits.
        fn is_told(&mut self) {
            let at = self.listener.local_addr().unwrap();
            let path = self.unix.local_addr().unwrap();
            let path = path.as_pathname().unwrap().to_owned();
            let mut peer = self.peer.try_clone().unwrap();
            let (listener, unix, open) = (&self.listener, &self.unix, &mut self.open);
            let talk = async {
                let mut byte = [0];
                let told = coro::gather((listener.accept(), unix.accept(), open.read(&mut byte)));
                let (tcp, unix, read) = told.await;
                tcp.unwrap();
                unix.unwrap();
                assert_eq!((read.unwrap(), byte), (1, *b"x"));
            };
            let clients = std::thread::spawn(move || {
                let tcp = net::TcpStream::connect(at).unwrap();
                let unix = std::os::unix::net::UnixStream::connect(path).unwrap();
                peer.write_all(b"x").unwrap();
                (tcp, unix)
            });
            let told = self
                .event_loop
                .run_until_complete(coro::timeout(LONG, talk));
            assert!(told.unwrap().is_ok(), "the parent is no longer told");
            clients.join().unwrap();
        }
    }

    fn a_child_drops_its_copies_and_the_parent_serves_on() {
        let mut served = Some(Served::new());
        let child = in_a_fork(|| {
            drop(served.take());
            true
        });
        assert!(child.ended_well());
        let mut served = served.unwrap();
        served.is_told();
        // In the other order: the descriptors first, while the loop is kept.
        let mut parts = Some(served);
        let child = in_a_fork(|| {
            let Served {
                listener,
                unix,
                open,
                event_loop,
                ..
            } = parts.take().unwrap();
            drop(event_loop);
            drop((listener, unix, open));
            true
        });
        assert!(child.ended_well());
        parts.unwrap().is_told();
    }

    fn a_child_lives_on_after_the_parent_has_closed() {
        let served = Served::new();
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        let mut copy = Some(served);
        let child = in_a_fork(|| {
            let served = copy.take().unwrap();
            drop(writer.try_clone().unwrap());
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap(); // the parent has closed
            drop(served);
            // A loop of its own works.
            let mut own = Served::new();
            own.is_told();
            true
        });
        drop(copy);
        writer.write_all(b"x").unwrap();
        assert!(child.ended_well());
    }

    fn message_of(f: impl FnOnce()) -> String {
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(()) => String::new(),
            Err(payload) => match payload.downcast::<String>() {
                Ok(message) => *message,
                Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
            },
        }
    }

    fn a_loop_does_not_run_in_a_forked_process() {
        let mut event_loop = EventLoop::new().unwrap();
        let child = in_a_fork(|| {
            let message = message_of(|| event_loop.run_until_complete(async {}).unwrap());
            let forever = message_of(|| event_loop.run_forever());
            message.contains("forked from its own") && forever.contains("forked from its own")
        });
        assert!(child.ended_well());
        event_loop.run_until_complete(async {}).unwrap();
    }

    fn a_fork_within_a_task_panics_where_the_loop_would_wait() {
        let child = in_a_fork(|| {
            coro::run(async {
                let inner = in_a_fork(|| true);
                assert!(inner.ended_well());
                coro::sleep(Duration::from_millis(1)).await;
            });
            let mut event_loop = EventLoop::new().unwrap();
            let mut parent = 0;
            let message = message_of(|| {
                event_loop
                    .run_until_complete(async {
                        parent = fork();
                        // The process is compared once in 64 waits.
                        for _ in 0..100 {
                            coro::sleep(Duration::from_millis(1)).await;
                        }
                    })
                    .unwrap();
            });
            match parent {
                0 => _exit(if message.contains("forked from its own") {
                    0
                } else {
                    1
                }),
                pid => message.is_empty() && Forked(pid).ended_well(),
            }
        });
        assert!(child.ended_well());
    }

    fn a_fork_leaves_threads_and_processes_to_the_parent() {
        let mut event_loop = EventLoop::new().unwrap();
        let mut cat = event_loop
            .run_until_complete(async {
                coro::threads::to_thread(|| ()).await.unwrap();
                // No thread is to have a lock at the time of the fork.
                coro::sleep(Duration::from_millis(50)).await;
                Command::new("cat")
                    .stdin(std::process::Stdio::piped())
                    .kill_on_drop(true)
                    .spawn()
                    .unwrap()
            })
            .unwrap();
        let mut copies = Some((event_loop, cat));
        let child = in_a_fork(|| {
            let (event_loop, cat) = copies.take().unwrap();
            drop(cat);
            drop(event_loop); // has threads that are not here, and does not wait for them
            true
        });
        assert!(child.ended_well());
        (event_loop, cat) = copies.unwrap();
        drop(cat.stdin.take());
        let status = event_loop.run_until_complete(cat.wait()).unwrap();
        assert!(status.unwrap().success(), "it was killed");
    }

    fn a_watched_loop_keeps_its_thread_and_its_signal_in_the_parent() {
        let builder = EventLoop::builder().watchdog(LONG);
        let builder = builder.dump_on(SignalKind::user_defined1());
        let mut event_loop = builder.clone().build().unwrap();
        event_loop.run_until_complete(async {}).unwrap();
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let before = threads();
        let mut kept = Some(event_loop);
        let child = in_a_fork(|| {
            drop(kept.take()); // it must not wait for a thread that is not here
            let mut own = builder.build().unwrap();
            threads() == 2 && own.run_until_complete(coro::yield_now()).is_ok()
        });
        assert!(child.ended_well());
        assert_eq!(threads(), before);
        let mut event_loop = kept.unwrap();
        let (handle, stop) = (event_loop.handle(), event_loop.handle());
        handle.set_exception_handler(move |report| {
            assert_eq!(report.kind, ReportKind::Dump);
            stop.stop();
        });
        kill_process(getpid(), Signal::USR1).unwrap();
        event_loop.run_forever();
        drop(event_loop);
        assert_eq!(threads(), before - 1);
    }
}
