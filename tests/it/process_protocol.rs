//! Protocols of children: the callbacks, their order, their number.

use std::cell::RefCell;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::rc::Rc;

use coro::event_loop::ReportKind;
use coro::process::{
    Command, SubprocessProtocol, SubprocessTransport, subprocess_exec, subprocess_shell,
};
use coro::{EventLoop, sleep};

use crate::process::{assert_no_children, assert_reaped};
use crate::support::{Reports, ms, turns};

const SIGKILL: i32 = 9;

type Calls = Rc<RefCell<Vec<String>>>;
type Act = Box<dyn FnMut(&SubprocessTransport, &str)>;

/// Records each callback, then lets `act` react to it.
struct Notes {
    calls: Calls,
    transport: Option<SubprocessTransport>,
    act: Act,
}

impl Notes {
    fn new(act: impl FnMut(&SubprocessTransport, &str) + 'static) -> (Self, Calls) {
        let calls = Calls::default();
        let notes = Notes {
            calls: calls.clone(),
            transport: None,
            act: Box::new(act),
        };
        (notes, calls)
    }

    fn note(&mut self, call: String) {
        self.calls.borrow_mut().push(call.clone());
        let transport = self.transport.clone().unwrap();
        (self.act)(&transport, &call);
    }
}

impl SubprocessProtocol for Notes {
    fn connection_made(&mut self, transport: &SubprocessTransport) {
        self.transport = Some(transport.clone());
        self.note("made".into());
    }

    fn pipe_data_received(&mut self, fd: u32, data: &[u8]) {
        self.note(format!(
            "data {fd} {}",
            String::from_utf8_lossy(data).trim()
        ));
    }

    fn pipe_connection_lost(&mut self, fd: u32, error: Option<io::Error>) {
        let error = error.map(|error| format!(" {:?}", error.kind()));
        self.note(format!("pipe lost {fd}{}", error.unwrap_or_default()));
    }

    fn process_exited(&mut self) {
        let status = self.transport.as_ref().unwrap().exit_status().unwrap();
        self.note(format!("exited {:?} {:?}", status.code(), status.signal()));
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        let error = error.map(|error| format!(": {error}"));
        self.note(format!("lost{}", error.unwrap_or_default()));
    }

    fn pause_writing(&mut self) {
        self.note("pause".into());
    }

    fn resume_writing(&mut self) {
        self.note("resume".into());
    }
}

async fn until(calls: &Calls, call: &str) {
    while !calls.borrow().iter().any(|seen| seen == call) {
        sleep(ms(1)).await;
    }
}

fn sorted(calls: &Calls) -> Vec<String> {
    let mut calls = calls.borrow().clone();
    calls.sort();
    calls
}

#[coro::test(real)]
async fn each_thing_is_told_once_and_the_loss_of_all_last() {
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_shell("echo out; echo err >&2; exit 3", notes)
        .await
        .unwrap();
    assert_eq!(calls.borrow()[0], "made", "before the transport is given");
    until(&calls, "lost").await;
    assert_eq!(
        sorted(&calls),
        [
            "data 1 out",
            "data 2 err",
            "exited Some(3) None",
            "lost",
            "made",
            "pipe lost 0",
            "pipe lost 1",
            "pipe lost 2"
        ]
    );
    assert_eq!(calls.borrow().last().unwrap(), "lost");
    let at = |call| calls.borrow().iter().position(|seen| seen == call).unwrap();
    assert!(at("data 1 out") < at("pipe lost 1") && at("data 2 err") < at("pipe lost 2"));
    assert_eq!(transport.exit_status().unwrap().code(), Some(3));
    assert!(transport.is_closing());
    assert!((0..4).all(|fd| transport.get_pipe_transport(fd).is_none()));
    transport.kill().unwrap();
    transport.close();
    assert_reaped();
}

#[coro::test(real)]
async fn written_bytes_reach_the_child_and_closing_ends_its_input() {
    let (notes, calls) = Notes::new(|transport, call| {
        if call == "data 1 hello" {
            transport.get_pipe_transport(0).unwrap().close();
        }
    });
    let transport = subprocess_exec(&mut Command::new("cat"), notes)
        .await
        .unwrap();
    let stdin = transport.get_pipe_transport(0).unwrap();
    stdin.write(b"hello");
    until(&calls, "exited Some(0) None").await;
    assert!(stdin.is_closing());
    stdin.write(b"ignored");
    assert_eq!(stdin.get_write_buffer_size(), 0);
    until(&calls, "lost").await;
}

#[coro::test(real)]
async fn closing_from_any_callback_kills_the_child_and_ends_it_once() {
    for during in ["made", "data 1 y", "pipe lost 2"] {
        let (notes, calls) = Notes::new(move |transport, call| {
            if call.starts_with(during) || call.starts_with("exited") {
                transport.close();
                transport.close();
            }
        });
        let line = "exec 2>&-; yes y";
        drop(subprocess_shell(line, notes).await.unwrap());
        until(&calls, "lost").await;
        let calls = sorted(&calls);
        let others = |call: &&String| !call.starts_with("data");
        assert_eq!(
            calls.iter().filter(others).collect::<Vec<_>>(),
            [
                &format!("exited None Some({SIGKILL})"),
                "lost",
                "made",
                "pipe lost 0",
                "pipe lost 1",
                "pipe lost 2"
            ],
            "closed during {during}"
        );
        assert_reaped();
    }
}

#[coro::test(real)]
async fn a_writer_is_told_to_pause_and_to_resume() {
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_shell("read go < /dev/stdin; exec cat > /dev/null", notes)
        .await
        .unwrap();
    let stdin = transport.get_pipe_transport(0).unwrap();
    turns(3).await;
    stdin.write(&vec![b'x'; 1 << 20]);
    until(&calls, "pause").await;
    stdin.write(b"\n");
    until(&calls, "resume").await;
    stdin.close();
    until(&calls, "lost").await;
    assert_eq!(
        calls
            .borrow()
            .iter()
            .filter(|call| *call == "pause")
            .count(),
        1
    );
}

#[coro::test(real)]
async fn the_limits_of_the_childs_input_are_those_of_streams() {
    let (notes, calls) = Notes::new(|transport, call| {
        if call == "data 1 go" {
            let stdin = transport.get_pipe_transport(0).unwrap();
            stdin.write(&vec![b'x'; 1 << 20]);
            stdin.write(b"x");
        }
    });
    let transport = subprocess_shell("echo go; exec sleep 3600", notes)
        .await
        .unwrap();
    let stdin = transport.get_pipe_transport(0).unwrap();
    assert_eq!(stdin.get_write_buffer_limits(), (16 * 1024, 64 * 1024));
    stdin.set_write_buffer_limits(Some(0), None);
    assert_eq!(stdin.get_write_buffer_limits(), (0, 0));
    until(&calls, "data 1 go").await;
    let at = |call| calls.borrow().iter().position(|seen| seen == call);
    assert_eq!(at("pause"), at("data 1 go").map(|at| at + 1));
    stdin.set_write_buffer_limits(Some(4 << 20), None);
    assert_eq!(calls.borrow().last().unwrap(), "resume", "applied at once");
    stdin.write(&vec![b'x'; 4 << 20]);
    assert_eq!(calls.borrow().last().unwrap(), "pause", "inside of write");
    let stdout = transport.get_pipe_transport(1).unwrap();
    let text = crate::support::panic_of(|| stdout.set_write_buffer_limits(None, None));
    let expected = "set_write_buffer_limits() on descriptor 1 of a child";
    assert!(text.contains(expected), "{text}");
    transport.close();
    until(&calls, "lost").await;
}

#[coro::test(real)]
async fn bytes_for_an_idle_child_go_at_once() {
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_exec(&mut Command::new("cat"), notes)
        .await
        .unwrap();
    let stdin = transport.get_pipe_transport(0).unwrap();
    sleep(ms(20)).await;
    stdin.write(b"hello");
    assert_eq!(stdin.get_write_buffer_size(), 0);
    until(&calls, "data 1 hello").await;
    transport.close();
    until(&calls, "lost").await;
}

#[coro::test(real)]
async fn writes_to_a_closed_pipe_are_ignored_and_from_the_fifth_on_reported() {
    let reports = Reports::here();
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_exec(&mut Command::new("cat"), notes)
        .await
        .unwrap();
    let stdin = transport.get_pipe_transport(0).unwrap();
    stdin.close();
    for _ in 0..4 {
        stdin.write(b"x");
    }
    assert_eq!(reports.len(), 0);
    until(&calls, "lost").await;
    for _ in 0..4 {
        stdin.write(b"x");
    }
    reports.assert_taken([(ReportKind::WriteIgnored, "5 writes were ignored so far")]);
}

#[coro::test(real)]
async fn a_child_that_reads_no_more_breaks_its_pipe_only() {
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_shell("exec 0<&-; echo closed; read never < /dev/zero", notes)
        .await
        .unwrap();
    until(&calls, "pipe lost 0").await;
    assert!(transport.get_pipe_transport(0).is_none());
    assert_eq!(transport.exit_status(), None);
    transport.close();
    until(&calls, "lost").await;
}

#[coro::test(real)]
async fn a_pipe_whose_reading_is_paused_holds_its_data_back() {
    let (notes, calls) = Notes::new(|transport, call| {
        if call == "made" {
            transport.get_pipe_transport(1).unwrap().pause_reading();
        }
    });
    let transport = subprocess_shell("echo held", notes).await.unwrap();
    until(&calls, "exited Some(0) None").await;
    turns(5).await;
    assert!(!calls.borrow().iter().any(|call| call.starts_with("data")));
    transport.get_pipe_transport(1).unwrap().resume_reading();
    until(&calls, "lost").await;
    assert!(calls.borrow().contains(&"data 1 held".to_owned()));
}

#[coro::test(real)]
async fn streams_that_are_set_are_no_pipes() {
    let (notes, calls) = Notes::new(|_, _| ());
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let transport = subprocess_exec(&mut command, notes).await.unwrap();
    assert!(transport.get_pipe_transport(0).is_none());
    until(&calls, "lost").await;
    assert_eq!(
        sorted(&calls),
        ["exited Some(0) None", "lost", "made", "pipe lost 1"]
    );
}

#[coro::test(real)]
async fn a_protocol_that_panics_is_reported_and_its_child_killed() {
    for during in ["made", "data", "pipe lost", "exited"] {
        let reports = Reports::here();
        let (notes, calls) = Notes::new(move |_, call| {
            if call.starts_with(during) {
                panic!("in {during}");
            }
        });
        let line = match during {
            "exited" | "pipe lost" => "true",
            _ => "echo x; exec sleep 3600",
        };
        subprocess_shell(line, notes).await.unwrap();
        let last = format!("lost: the connection's protocol panicked: in {during}");
        until(&calls, &last).await;
        let lost = |call: &&String| call.starts_with("lost");
        assert_eq!(calls.borrow().iter().filter(lost).count(), 1);
        let reports = reports.take();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].kind, ReportKind::ProtocolPanicked);
        assert_eq!(calls.borrow().last().unwrap(), &last);
        assert_no_children();
    }
}

#[test]
fn closing_the_loop_kills_the_child_and_tells_the_protocol() {
    let (notes, calls) = Notes::new(|transport, call| {
        if call == "lost" {
            assert!(transport.is_closing());
            transport.close();
            transport.kill().unwrap();
        }
    });
    let mut event_loop = EventLoop::new().unwrap();
    let sleep = async { subprocess_shell("exec sleep 3600", notes).await.unwrap() };
    let transport = event_loop.run_until_complete(sleep).unwrap();
    drop(event_loop);
    assert_eq!(*calls.borrow(), ["made", "lost"]);
    drop(transport);
    calls.borrow_mut().clear();
    assert_no_children();
}

#[coro::test(real)]
async fn writing_where_the_child_writes_is_a_panic_that_says_so() {
    let (notes, calls) = Notes::new(|_, _| ());
    let transport = subprocess_shell("exec sleep 3600", notes).await.unwrap();
    let stdout = transport.get_pipe_transport(1).unwrap();
    let text = crate::support::panic_of(|| stdout.write(b"x"));
    assert!(text.contains("we write to 0"), "{text}");
    transport.close();
    until(&calls, "lost").await;
}
