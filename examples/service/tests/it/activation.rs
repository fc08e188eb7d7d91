//! Sockets and notices of a service manager, by the protocols of systemd.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Command;

use command_fds::{CommandFdExt, FdMapping};
use coro::gather;
use coro::net::UnixDatagram;

use crate::client::get;
use crate::process::{Service, directory, ms, until};

/// A command that gives descriptors to the service as systemd does.
fn activated(descriptors: Vec<OwnedFd>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
    command.env("LISTEN_FDS", descriptors.len().to_string());
    let numbered = descriptors.into_iter().zip(3..);
    let mappings = numbered.map(|(parent_fd, child_fd)| FdMapping {
        parent_fd,
        child_fd,
    });
    command.fd_mappings(mappings.collect()).unwrap();
    command
}

#[coro::test(real)]
async fn a_client_that_came_before_the_service_is_answered_and_none_is_refused_between_two() {
    let public = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = public.local_addr().unwrap();
    let copies = || {
        vec![
            public.try_clone().unwrap().into(),
            admin.try_clone().unwrap().into(),
        ]
    };
    let start = || async { Service::spawn(activated(copies())) };
    let (answer, mut service) = gather((get(address, "/"), start())).await;
    assert_eq!(answer.unwrap().0, 200);
    assert_eq!(service.addresses(), (address, admin.local_addr().unwrap()));
    service.signal("-TERM");
    assert!(service.ended().await.success());
    // There is no process now. The socket is its manager's, and the client waits in its queue.
    let (answer, _service) = gather((get(address, "/"), start())).await;
    assert_eq!(answer.unwrap().0, 200);
}

#[coro::test(real)]
async fn descriptors_that_are_no_listening_sockets_are_an_error() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for (descriptors, error) in [
        (
            vec![listener.try_clone().unwrap().into()],
            "LISTEN_FDS has fewer than two sockets",
        ),
        (vec![listener.into(), file.into()], "fd 4 is not a socket"),
    ] {
        let mut service = Service::spawn(activated(descriptors));
        assert_eq!(service.ended().await.code(), Some(1));
        service.line(error);
    }
}

#[coro::test(real)]
async fn the_manager_hears_of_the_beginning_of_a_handover_and_of_the_end() {
    let folder = directory();
    let path = folder.join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let hear = async || {
        let mut word = [0; 64];
        let length = coro::timeout(ms(60_000), manager.recv(&mut word)).await;
        String::from_utf8(word[..length.unwrap().unwrap()].to_vec()).unwrap()
    };
    let mut command = Service::command(env!("CARGO_BIN_EXE_service"));
    command
        .args(["--linger-ms", "10"])
        .env("NOTIFY_SOCKET", &path);
    let mut service = Service::spawn(command);
    assert_eq!(hear().await, "READY=1");
    service.signal("-USR2");
    let word = hear().await;
    let next = word
        .strip_prefix("MAINPID=")
        .expect("the next process is the main one");
    let next = next.parse().unwrap();
    assert_ne!(next, service.id());
    assert!(service.ended().await.success());
    crate::process::send("-TERM", next);
    assert_eq!(hear().await, "STOPPING=1");
    until(async || service.log().matches("drained").count() == 2).await;
    let _ = std::fs::remove_dir_all(folder);
}
