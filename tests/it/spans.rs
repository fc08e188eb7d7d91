//! The feature `tracing`: spans of tasks, and reports as events, as a subscriber of programs hears them.

use std::cell::Cell;
use std::future::{Future, pending};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use coro::{EventLoop, call_soon, sleep, spawn, yield_, yield_from, yield_now};
use futures::StreamExt;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Instrument, Level, info, info_span, instrument};

/// The lines that a subscriber has written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A subscriber that wants nothing. As long as a process has had one subscriber only, tracing asks the thread
/// that first comes to a place whether that place is wanted, for all threads.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| {
    let deaf = tracing_subscriber::fmt().with_max_level(LevelFilter::OFF);
    Dispatch::new(deaf.finish())
});

impl Log {
    /// Runs `f` while this thread's subscriber writes lines up to that level.
    fn of(level: Level, f: impl FnOnce()) -> Vec<String> {
        LazyLock::force(&ANOTHER);
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .without_time()
            .with_target(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, f);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| masked(line.trim())).collect()
    }

    fn of_run(level: Level, main: impl Future<Output = ()>) -> Vec<String> {
        Log::of(level, || coro::run(main))
    }
}

/// A line without the numbers of lines and columns.
fn masked(line: &str) -> String {
    let Some((before, after)) = line.split_once(".rs:") else {
        return line.to_owned();
    };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{before}.rs{}", masked(rest))
}

const AT: &str = "spawned.at=tests/it/spans.rs";

async fn count_seconds(seconds: Rc<Cell<u32>>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        seconds.set(seconds.get() + 1);
    }
}

/// A task in a span of its own has its number before the host of the task is noted.
#[test]
fn the_tasks_of_a_simulated_host_end_with_its_power_in_spans_too() {
    let lines = Log::of(Level::DEBUG, || {
        coro::testing::explore().seeds(1).run(async |sim| {
            let seconds = Rc::new(Cell::new(0));
            let counted = seconds.clone();
            let host = sim.host("host", move || count_seconds(counted.clone()));
            sleep(Duration::from_millis(2_500)).await;
            host.power_off();
            sleep(Duration::from_secs(10)).await;
            assert_eq!(seconds.get(), 2);
        });
    });
    assert_eq!(lines, [""; 0]);
}

#[test]
fn a_task_is_in_its_span_at_each_step_and_while_its_future_is_dropped() {
    struct SaysEnd;
    impl Drop for SaysEnd {
        fn drop(&mut self) {
            info!("dropped");
        }
    }
    let lines = Log::of_run(Level::DEBUG, async {
        let one = spawn(async {
            info!("begins");
            yield_now().await;
            info!("goes on");
        });
        let two = spawn(async {
            let _end = SaysEnd;
            pending::<()>().await
        });
        one.await.unwrap();
        info!("outside");
        two.cancel();
        let _ = two.await;
    });
    let expected = [
        format!("INFO task{{id=1 {AT}}}: begins"),
        format!("INFO task{{id=1 {AT}}}: goes on"),
        "INFO outside".into(),
        format!("INFO task{{id=2 {AT}}}: dropped"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_task_inherits_the_span_that_it_is_spawned_in_and_so_does_a_callout() {
    let lines = Log::of_run(Level::DEBUG, async {
        let request = info_span!("request", path = "/a");
        let (task, eager) = request.in_scope(|| {
            call_soon(|| info!("callout"));
            let task = spawn(async { spawn(async { info!("grandchild") }).await.unwrap() });
            let eager = async { info!("eager") };
            (task, coro::LoopHandle::current().spawn_eager(eager))
        });
        task.await.unwrap();
        eager.await.unwrap();
        spawn(async { info!("no child") }).await.unwrap();
    });
    let request = r#"request{path="/a"}"#;
    let expected = [
        format!("INFO {request}:task{{id=2 {AT}}}: eager"),
        format!("INFO {request}: callout"),
        format!("INFO {request}:task{{id=1 {AT}}}:task{{id=3 {AT}}}: grandchild"),
        format!("INFO task{{id=4 {AT}}}: no child"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_child_of_a_scope_is_in_its_span_at_each_step_and_while_it_is_dropped() {
    struct SaysEnd;
    impl Drop for SaysEnd {
        fn drop(&mut self) {
            info!("dropped");
        }
    }
    let lines = Log::of_run(Level::DEBUG, async {
        let request = info_span!("request");
        let body = coro::scope(async |scope| {
            let one = scope.spawn(async {
                info!("begins");
                yield_now().await;
                info!("goes on");
            });
            let two = scope.spawn(async {
                let _end = SaysEnd;
                pending::<()>().await
            });
            one.await;
            two.cancel();
            info!("body");
        });
        body.instrument(request).await;
    });
    let expected = [
        format!("INFO request:child{{{AT}}}: begins"),
        format!("INFO request:child{{{AT}}}: goes on"),
        format!("INFO request:child{{{AT}}}: dropped"),
        "INFO request: body".into(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_span_has_the_names_of_its_task() {
    let lines = Log::of_run(Level::DEBUG, async {
        let task = spawn(async {
            info!("named before it began");
            yield_now().await;
            coro::task::current_task().unwrap().set_name("reader");
            info!("named again");
        });
        task.set_name("early");
        task.await.unwrap();
    });
    let expected = [
        format!(r#"INFO task{{id=1 {AT} name="early"}}: named before it began"#),
        format!(r#"INFO task{{id=1 {AT} name="early" name="reader"}}: named again"#),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_subscriber_that_wants_no_spans_of_tasks_gets_those_of_the_program() {
    let lines = Log::of_run(Level::INFO, async {
        let request = info_span!("request", name = "mine");
        let task = request.in_scope(|| spawn(async { info!("inside") }));
        task.set_name("the task's");
        task.await.unwrap();
        let bare = spawn(async { info!("outside") });
        assert_eq!(bare.name(), "Task-2", "no number is lost");
        bare.await.unwrap();
    });
    assert_eq!(
        lines,
        [r#"INFO request{name="mine"}: inside"#, "INFO outside"]
    );
}

#[test]
fn the_values_of_task_locals_and_large_outputs_go_with_a_span() {
    static KEY: coro::TaskLocal<u32> = coro::TaskLocal::new();
    let lines = Log::of_run(Level::DEBUG, async {
        let task = KEY.sync_scope(7, || {
            spawn(async {
                yield_now().await;
                info!(value = KEY.get().unwrap());
                [1_u8; 4096]
            })
        });
        assert_eq!(task.await.unwrap(), [1; 4096]);
    });
    assert_eq!(lines, [format!("INFO task{{id=1 {AT}}}: value=7")]);
}

#[coro::coroutine(yields = u32)]
async fn numbers() {
    for n in 0..2 {
        info!(n);
        yield_now().await;
        yield_!(n);
    }
}

#[test]
fn a_generator_is_in_the_span_of_the_task_that_resumes_it() {
    let lines = Log::of_run(Level::DEBUG, async {
        let mut numbers = Box::pin(numbers());
        for _ in 0..2 {
            let resume = async move {
                let n = numbers.as_mut().next().await;
                (numbers, n)
            };
            (numbers, _) = spawn(resume).await.unwrap();
        }
    });
    let expected = [
        format!("INFO task{{id=1 {AT}}}: n=0"),
        format!("INFO task{{id=2 {AT}}}: n=1"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn lost_panics_errors_and_slow_steps_are_events() {
    let lines = Log::of(Level::INFO, || {
        let builder = EventLoop::builder().debug(true);
        let builder = builder.slow_callback_duration(Duration::MAX);
        let mut event_loop = builder.build().unwrap();
        let handle = event_loop.handle();
        handle.set_exception_handler(|_| ());
        let lost = handle.spawn(async { panic!("lost") });
        lost.set_name("the lost one");
        drop(lost);
        drop(handle.spawn(async { Err::<(), _>("no space") }));
        event_loop.run_until_complete(yield_now()).unwrap();
        handle.set_slow_callback_duration(Duration::ZERO);
        handle.call_soon(|| ());
        handle.stop();
        event_loop.run_forever();
    });
    let place = "spawned.at=tests/it/spans.rs";
    let expected = [
        format!(
            "ERROR a task panicked and nothing awaited it: lost kind=TaskPanicked \
             task=\"the lost one\" {place}"
        ),
        format!(
            "ERROR a task failed and nothing awaited it: no space kind=TaskFailed \
             task=\"Task-2\" {place}"
        ),
        format!("WARN a step held up the loop: it ran for 0 ms kind=SlowStep {place}"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn deadlocks_and_lost_wakers_are_events() {
    let lines = Log::of(Level::INFO, || {
        let builder = EventLoop::builder().report_deadlocks(true);
        let mut event_loop = builder.clone().build().unwrap();
        event_loop.handle().set_exception_handler(|_| ());
        let deaf = std::future::poll_fn(|_| std::task::Poll::<()>::Pending);
        let _deaf = event_loop.handle().spawn(deaf);
        let naps = sleep(Duration::from_millis(1));
        event_loop.run_until_complete(naps).unwrap();

        let mut event_loop = builder.build().unwrap();
        let handle = event_loop.handle();
        let stop = handle.clone();
        handle.set_exception_handler(move |_| stop.stop());
        let _stuck = handle.spawn(async {
            let event = coro::sync::Event::new();
            event.wait().await;
        });
        event_loop.run_forever();
    });
    let has = |text: &str| lines.iter().any(|line| line.starts_with(text));
    assert!(has("ERROR a task has lost its waker: "), "{lines:#?}");
    assert!(has("ERROR a deadlock: "), "{lines:#?}");
}

// ---- `#[instrument]` ----

#[coro::coroutine]
#[instrument]
fn plain(n: u32) {
    info!("before");
    yield_from!(yield_now());
    info!("after");
}

#[coro::coroutine]
#[instrument(skip_all)]
async fn awaiting() {
    info!("before");
    yield_now().await;
    info!("after");
}

#[coro::coroutine(boxed)]
#[instrument]
async fn countdown(n: u32) {
    yield_now().await;
    match n {
        0 => info!("end"),
        _ => countdown(n - 1).await,
    }
}

struct Server;

#[coro::coroutines]
impl Server {
    #[instrument(skip_all, fields(n))]
    async fn serve(&self, n: u32) {
        plain(n).await;
    }
}

#[coro::test]
#[instrument]
async fn an_instrumented_test_runs() {
    assert!(
        tracing::Span::current().is_disabled(),
        "no subscriber listens here"
    );
    yield_now().await;
}

#[test]
fn an_instrumented_coroutine_is_in_its_span_while_it_runs_and_not_while_it_waits() {
    let lines = Log::of_run(Level::INFO, async {
        coro::gather((plain(1), plain(2), awaiting())).await;
        Server.serve(3).await;
        countdown(1).await;
        async { info!("inside") }
            .instrument(info_span!("by hand"))
            .await;
        info!("outside");
    });
    let expected = [
        "INFO plain{n=1}: before",
        "INFO plain{n=2}: before",
        "INFO awaiting: before",
        "INFO plain{n=1}: after",
        "INFO plain{n=2}: after",
        "INFO awaiting: after",
        "INFO serve:plain{n=3}: before",
        "INFO serve:plain{n=3}: after",
        "INFO countdown{n=1}:countdown{n=0}: end",
        "INFO by hand: inside",
        "INFO outside",
    ];
    assert_eq!(lines, expected);
}
