//! A dump of the loop: each task, with the lines of the awaits that lead to its leaf.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro::group::{CoroExt, Retry, as_completed, map_concurrent, race_ok, wait};
use coro::sight::{Step, TaskState, TaskTree};
use coro::sync::{Event, Lock, Semaphore, channel, oneshot, watch};
use coro::{CancelToken, EventLoop, LoopHandle, TaskGroup, spawn};

const LONG: Duration = Duration::from_secs(3000);

/// Lets all tasks run until they wait, and takes a dump.
pub(crate) async fn dump() -> TaskTree {
    for _ in 0..4 {
        coro::yield_now().await;
    }
    LoopHandle::current().dump().await
}

/// The text of a task's path, without the numbers of lines and descriptors.
pub(crate) fn path(tree: &TaskTree, name: &str) -> String {
    let text = tree.to_string();
    let start = text
        .find(&format!("{name} "))
        .unwrap_or_else(|| panic!("no {name} in\n{text}"));
    let lines = text[start..].lines().skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let lines = lines.map(|line| match line.split_once("  awaits ") {
        Some((place, awaits)) => {
            let indent = place.len() - place.trim_start().len();
            format!("{:indent$}at {awaits}", "")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn plain() {
    coro::sleep(LONG).await
}

#[coro::coroutine]
async fn inner() {
    coro::yield_from!(plain())
}

/// The line of the await in the next function.
const AWAIT: u32 = line!() + 4;

#[coro::coroutine]
async fn outer() {
    coro::yield_from!(inner())
}

#[coro::test]
async fn each_await_of_an_annotated_function_is_a_line() {
    spawn(outer()).set_name("nested");
    let tree = dump().await;
    let nested = path(&tree, "nested");
    assert!(
        nested.ends_with(
            "  at it::sight::inner\n    at it::sight::plain\n      a timer, due in 50 min 0 s"
        ) || nested.contains("sight::inner\n    at ") && nested.contains("a timer, due in 50 min"),
        "{nested}"
    );
    let task = tree
        .tasks()
        .iter()
        .find(|task| task.name() == "nested")
        .unwrap();
    let (_, first) = task.path().next().unwrap();
    let Step::At { location, .. } = first else {
        panic!("{first:?}");
    };
    assert!(location.file().ends_with("sight.rs"));
    assert_eq!(location.line(), AWAIT);
    assert_eq!(task.state(), TaskState::Waiting);
    assert_eq!(task.spawned_by(), Some(tree.tasks()[0].id()));
}

#[coro::test]
async fn the_main_future_is_there_when_it_asks_and_when_another_task_does() {
    let tree = dump().await;
    assert_eq!(tree.tasks()[0].name(), "main");
    assert!(path(&tree, "main").contains("a dump"), "{tree}");
    let asking = spawn(async { LoopHandle::current().dump().await });
    let tree = asking.await.unwrap();
    assert!(path(&tree, "main").contains("the end of Task-1"), "{tree}");
    assert!(path(&tree, "Task-1").contains("a dump"), "{tree}");
}

#[coro::test]
async fn every_leaf_says_its_reason() {
    let lock = Rc::new(Lock::new(()));
    let held = lock.clone().lock_owned().await;
    let permits = Rc::new(Semaphore::new(0));
    let event = Rc::new(Event::new());
    let (_send, mut receive) = channel::unbounded::<()>();
    let (_once, value) = oneshot::channel::<()>();
    let (_watched, mut seen) = watch::channel(0);
    let token = CancelToken::new();
    let other = spawn(coro::sleep(LONG));
    spawn({
        let lock = lock.clone();
        async move { drop(lock.lock().await) }
    })
    .set_name("locking");
    spawn(async move { drop(lock.lock().await) }).set_name("second");
    spawn(async move { drop(permits.acquire().await) }).set_name("permit");
    spawn(async move { event.wait().await }).set_name("event");
    spawn(async move { receive.recv().await }).set_name("channel");
    spawn(async move { value.await }).set_name("oneshot");
    spawn(async move { seen.changed().await }).set_name("watch");
    spawn({
        let token = token.clone();
        async move { token.cancelled().await }
    })
    .set_name("token");
    spawn(async move { other.await }).set_name("join");
    spawn(async { futures::channel::oneshot::channel::<()>().1.await }).set_name("gone");
    let (_foreign, foreign) = futures::channel::oneshot::channel::<u32>();
    spawn(foreign).set_name("foreign");
    let tree = dump().await;
    let ends_with = |name: &str, end: &str| {
        let path = path(&tree, name);
        assert!(path.ends_with(end), "{name}: {path}");
    };
    ends_with("locking", "Lock, first in line, held by main");
    ends_with("second", "Lock, behind 1 waiter, held by main");
    ends_with("permit", "Semaphore, first in line");
    ends_with("event", "Event, first in line");
    ends_with("channel", "an item of a queue or channel, first in line");
    ends_with("oneshot", "the value of a oneshot");
    ends_with("watch", "a change of a watch, first in line");
    ends_with("token", "the cancellation of a token");
    assert!(path(&tree, "join").contains("the end of Task-1, spawned at"));
    assert!(path(&tree, "foreign").contains("oneshot::Receiver<u32> (it does not report)"));
    drop((held, token));
}

#[coro::test]
async fn every_group_shows_its_members() {
    fn nap() -> coro::time::Sleep {
        coro::sleep(LONG)
    }
    spawn(async { coro::gather((nap(), nap())).await }).set_name("tuple");
    spawn(async move { coro::gather((0..40).map(|_| nap())).await }).set_name("forty");
    spawn(async move { coro::race((nap(), nap())).await }).set_name("race");
    spawn(async move {
        let naps = [1, 2].map(|n| async move {
            nap().await;
            Ok::<_, ()>(n)
        });
        race_ok(naps).await
    })
    .set_name("race_ok");
    spawn(async move {
        use futures::StreamExt;
        as_completed([nap(), nap()]).next().await
    })
    .set_name("completed");
    spawn(async move { map_concurrent(0..9, 3, |_| nap()).await }).set_name("mapped");
    spawn(async move {
        wait([spawn(nap())], coro::group::ReturnWhen::AllCompleted, None)
            .await
            .1
            .len()
    })
    .set_name("wait");
    spawn(nap().timeout(LONG * 2)).set_name("timeout");
    spawn(async move {
        let group = TaskGroup::<std::convert::Infallible>::new();
        group.spawn(nap()).unwrap();
        group.join().await
    })
    .set_name("group");
    spawn(coro::scope(async |s| {
        s.spawn(nap());
        s.spawn(coro::scope(async |s| {
            s.spawn(nap());
        }));
        nap().await
    }))
    .set_name("scope");
    spawn(async move {
        Retry::new()
            .run(async || {
                nap().await;
                Ok::<_, ()>(())
            })
            .await
    })
    .set_name("retry");
    let tree = dump().await;
    let naps = |name: &str| path(&tree, name).matches("a timer").count();
    let shows = |name: &str, group: &str, count| {
        assert!(path(&tree, name).contains(group), "{}", path(&tree, name));
        assert_eq!(naps(name), count, "{}", path(&tree, name));
    };
    shows("tuple", "gather, of all", 2);
    shows("forty", "gather, of all", 40);
    shows("race", "race, of any", 2);
    shows("race_ok", "race_ok, of any", 2);
    shows("completed", "as_completed, of any", 2);
    shows("mapped", "map_concurrent, of all", 3);
    shows("wait", "the end of Task-", 0);
    shows("timeout", "timeout, of any", 2);
    shows("group", "TaskGroup, of all", 0);
    shows("scope", "scope, of all", 3);
    shows("retry", "attempt 1", 1);
    assert!(path(&tree, "group").contains("the end of Task-"));
    assert_eq!(path(&tree, "scope").matches("scope, of all").count(), 2);
}

#[coro::test]
async fn tasks_that_do_the_same_are_shown_once() {
    for _ in 0..3000 {
        spawn(plain());
    }
    let tree = dump().await;
    let text = tree.to_string();
    assert!(text.contains("x 3,000"), "{text}");
    assert!(text.lines().count() < 12, "{text}");
    assert_eq!(tree.tasks().len(), 3001);
}

#[coro::test]
async fn a_task_that_ends_spawns_or_panics_when_it_is_polled_for_a_dump_leaves_the_tree_whole() {
    // Each of these looks whether a flag is set, but is not woken when it is.
    async fn flag(set: Rc<Cell<bool>>) {
        poll_fn(|cx| {
            std::mem::forget(cx.waker().clone());
            match set.get() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await
    }
    let set = Rc::new(Cell::new(false));
    let ending = spawn(flag(set.clone()));
    let spawning = spawn({
        let set = set.clone();
        async move {
            flag(set).await;
            spawn(plain()).set_name("spawned");
            plain().await
        }
    });
    let panicking = spawn({
        let set = set.clone();
        async move {
            flag(set).await;
            panic!("in a dump")
        }
    });
    spawn(plain()).set_name("last");
    for _ in 0..3 {
        coro::yield_now().await;
    }
    set.set(true);
    let tree = LoopHandle::current().dump().await;
    let names: Vec<_> = tree.tasks().iter().map(|task| task.name()).collect();
    assert_eq!(names, ["main", "Task-2", "last", "spawned"]);
    assert!(path(&tree, "last").contains("a timer"));
    assert!(path(&tree, "Task-2").contains("a timer"));
    ending.await.unwrap();
    assert!(panicking.await.unwrap_err().is_panic());
    spawning.cancel();
}

#[coro::test]
async fn an_opaque_future_is_polled_only_when_it_is_woken() {
    let polls = Rc::new(Cell::new(0));
    let counting = {
        let polls = polls.clone();
        poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            std::mem::forget(cx.waker().clone());
            Poll::<()>::Pending
        })
    };
    spawn(coro::sight::opaque(counting)).set_name("counting");
    let tree = dump().await;
    assert!(path(&tree, "counting").contains("PollFn"), "{tree}");
    dump().await;
    assert_eq!(polls.get(), 1);
}

#[coro::test]
async fn a_task_without_a_waker_is_told_but_not_one_that_is_pending_by_intent() {
    let lost = spawn(async { poll_fn(|_| Poll::<()>::Pending).await });
    lost.set_name("lost");
    spawn(pending::<()>()).set_name("pending");
    LoopHandle::current().set_exception_handler(|_| {});
    let tree = dump().await;
    let names: Vec<_> = tree.unwakeable().map(|task| task.name()).collect();
    assert_eq!(names, ["lost"]);
    assert!(
        tree.to_string().starts_with("NO WAKER IS LEFT of lost"),
        "{tree}"
    );
}

#[coro::test]
async fn json_and_dot_have_each_task() {
    let joined = spawn(outer());
    joined.set_name("a \"name\"\n");
    spawn(async move { joined.await });
    let tree = dump().await;
    let json = tree.to_json();
    assert!(
        json.starts_with("{\"tasks\":[{\"id\":0,\"name\":\"main\""),
        "{json}"
    );
    assert!(json.contains("\"a \\\"name\\\"\\u000a\""), "{json}");
    assert!(json.contains("\"task\":1"), "{json}");
    let dot = tree.to_dot();
    assert!(dot.contains("t2 -> t1 [label="), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}

#[test]
fn a_loop_can_be_dumped_between_two_runs() {
    let mut event_loop = EventLoop::builder().virtual_time().build().unwrap();
    event_loop.handle().spawn(outer());
    let tree = event_loop.dump();
    assert_eq!(tree.tasks()[0].state(), TaskState::Ready);
    event_loop.run_until_complete(coro::yield_now()).unwrap();
    let tree = event_loop.dump();
    assert_eq!(tree.tasks()[0].state(), TaskState::Waiting);
    assert!(tree.to_string().contains("a timer, due in"));
    event_loop.close();
    assert!(event_loop.dump().tasks().is_empty());
}

#[coro::test(real)]
async fn another_thread_can_ask() {
    spawn(plain()).set_name("plain");
    let remote = LoopHandle::current().remote();
    let tree = coro::threads::to_thread(move || {
        let dump = remote.dump().unwrap();
        dump.wait(Duration::from_secs(60)).unwrap()
    });
    let tree = tree.await.unwrap().expect("a tree within a minute");
    assert!(path(&tree, "plain").contains("a timer"));
    assert!(
        path(&tree, "main").contains("a job on a thread, made at"),
        "{tree}"
    );
    let remote = LoopHandle::current().remote();
    let tree = remote.dump().unwrap().await.unwrap();
    assert_eq!(tree.tasks().len(), 2);
}

#[coro::test(real)]
async fn a_descriptor_is_shown_with_its_number_and_its_peer() {
    use futures::io::AsyncReadExt;
    let listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut stream = coro::net::TcpStream::connect(address).await.unwrap();
    spawn(async move {
        let mut buffer = [0; 1];
        stream.read(&mut buffer).await
    })
    .set_name("reading");
    let _client = listener.accept().await.unwrap();
    spawn(async move { listener.accept().await.map(drop) }).set_name("accepting");
    let tree = dump().await;
    let reading = path(&tree, "reading");
    assert!(
        reading.contains(&format!("(TcpStream to {address}), to read")),
        "{reading}"
    );
    assert!(path(&tree, "accepting").contains("(TcpListener), to read"));
}

#[coro::test]
async fn the_order_of_a_program_is_the_same_with_dumps_and_without() {
    async fn run(dumps: bool) -> Vec<u32> {
        let trace = Rc::new(std::cell::RefCell::new(Vec::new()));
        let lock = Rc::new(Lock::new(0));
        let (send, receive) = channel::unbounded::<u32>();
        let mut tasks = Vec::new();
        for n in 0..20 {
            let (trace, lock) = (trace.clone(), lock.clone());
            let (send, mut receive) = (send.clone(), receive.clone());
            tasks.push(spawn(async move {
                for round in 0..5 {
                    coro::sleep(Duration::from_millis(u64::from(n * 7 % 5))).await;
                    let mut held = lock.lock().await;
                    *held += n;
                    coro::yield_now().await;
                    trace.borrow_mut().push(n * 100 + round);
                    drop(held);
                    send.send(n).await.unwrap();
                    let received = receive.recv().await.unwrap();
                    trace.borrow_mut().push(10_000 + received);
                }
            }));
        }
        let dumping = spawn(async move {
            loop {
                match dumps {
                    true => drop(LoopHandle::current().dump().await),
                    false => coro::yield_now().await,
                }
                coro::sleep(Duration::from_micros(300)).await;
            }
        });
        for task in tasks {
            task.await.unwrap();
        }
        dumping.cancel();
        trace.take()
    }
    assert_eq!(run(true).await, run(false).await);
}

#[test]
fn a_loop_that_measures_waits_says_for_how_long_a_task_has_waited() {
    let builder = EventLoop::builder().measure_waits(true);
    let mut event_loop = builder.build().unwrap();
    let tree = event_loop.run_until_complete(async {
        spawn(plain());
        dump().await
    });
    let tree = tree.unwrap();
    let waited = tree.tasks()[1].waited().unwrap();
    assert!(waited < Duration::from_secs(100));
    assert!(tree.to_string().contains("Task-1  waits, for "), "{tree}");
}

#[cfg(unix)]
#[coro::test(real)]
async fn a_child_a_signal_and_a_look_up_are_shown() {
    let mut child = coro::process::Command::new("sleep")
        .arg("100")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = child.id().unwrap();
    spawn(async move {
        let ended = child.wait().await.map(drop);
        drop(child);
        ended
    })
    .set_name("child");
    spawn(async {
        let kind = coro::signal::SignalKind::hangup();
        coro::signal::signal(kind).unwrap().recv().await
    })
    .set_name("signal");
    let tree = dump().await;
    assert!(
        path(&tree, "child").contains(&format!("the end of process {pid}")),
        "{tree}"
    );
    assert!(
        path(&tree, "signal").contains("the signal SIGHUP"),
        "{tree}"
    );
}
