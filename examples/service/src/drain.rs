//! The course of a process: ready, until a signal, and the draining after it.

use std::error::Error;
use std::process;
use std::rc::Rc;
use std::time::Duration;

use coro::compat::hyper::HttpServer;
use coro::net::Server;
use coro::signal::{SignalKind, Signals, signal};
use coro::{race, sleep, spawn};

use crate::admin::{Admin, install_metrics};
use crate::app::App;
use crate::handover::hand_over;
use crate::notify::{READY, STOPPING, notify};
use crate::settings::Settings;
use crate::sockets::Sockets;

/// How many monitors may be connected.
const MONITORS: usize = 64;
/// How long a client may take for the head of a request, or be idle.
const HEADER: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(75);
/// How long the answers to monitors may take in the end.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// Why a process is to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By SIGTERM or Ctrl-C.
    Stopped,
    /// By SIGUSR2: the next process serves already.
    HandedOver,
}

/// Serves until a signal, then drains: the clients that have come in are served, and none is refused
/// while another process has the sockets.
///
/// # Errors
///
/// If a socket cannot be opened or taken over, or a signal cannot be listened for.
///
/// # Panics
///
/// Outside of a loop.
#[coro::coroutine]
pub async fn run(
    settings: Settings,
    inherited: std::io::Result<Option<Sockets>>,
) -> Result<(), Box<dyn Error>> {
    let mut heard = Heard {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        restart: signal(SignalKind::user_defined2())?,
    };
    let mut sockets = match inherited? {
        Some(sockets) => sockets,
        None => Sockets::open(&settings)?,
    };
    let app = Rc::new(App::new(settings.limits.clone()));
    let (public, admin) = serve(&settings, &sockets, &app)?;
    app.set_ready(true);
    if !sockets.tell_ready(READY)? {
        notify(READY); // after a handover the service as a whole was ready all the time
    }
    let (id, clients, operators) = (process::id(), public.local_addr()?, admin.local_addr()?);
    eprintln!("{id}: serving clients at {clients}, operators at {operators}");

    let ending = until_the_end(&settings, &sockets, &mut heard).await;
    app.set_ready(false);
    if ending == Ending::Stopped {
        notify(STOPPING);
        sleep(settings.notice).await;
    }
    drop(sockets); // the last copies of this process, besides those of its servers
    public.stop_listening();
    if ending == Ending::HandedOver {
        admin.stop_listening(); // the answers are the next process's now
    }
    // A client that was accepted a moment ago may have its first request on the way.
    race((sleep(settings.linger), public.wait_closed())).await;
    let cut = public.shutdown(settings.grace).await;
    admin.shutdown(ADMIN_GRACE).await;
    eprintln!("{id}: drained, {cut} connections cut");
    Ok(())
}

/// Starts the two servers.
fn serve(
    settings: &Settings,
    sockets: &Sockets,
    app: &Rc<App>,
) -> Result<(Rc<HttpServer>, HttpServer), Box<dyn Error>> {
    let [public, admin] = sockets.listeners()?;
    let limits = Server::builder().max_connections(settings.limits.connections);
    let of_public = app.clone();
    let public = HttpServer::builder()
        .server(limits)
        .header_timeout(HEADER)
        .idle_timeout(IDLE)
        .start(public, move |request| {
            let app = of_public.clone();
            async move { app.answer(request).await }
        })?;
    let public = Rc::new(public);
    let pages = Rc::new(Admin::new(app.clone(), public.clone(), install_metrics()?));
    let tidying = pages.clone();
    let tidying = spawn(async move { tidying.tidy_up().await });
    tidying.set_name("upkeep of metrics");
    let admin = HttpServer::builder()
        .server(Server::builder().max_connections(MONITORS))
        .header_timeout(HEADER)
        .start(admin, move |request| {
            let pages = pages.clone();
            async move { pages.answer(request).await }
        })?;
    Ok((public, admin))
}

/// The signals that this process listens for from its beginning.
struct Heard {
    terminate: Signals,
    interrupt: Signals,
    restart: Signals,
}

/// Waits for the signal that ends this process; a restart that fails does not.
#[coro::coroutine]
async fn until_the_end(settings: &Settings, sockets: &Sockets, heard: &mut Heard) -> Ending {
    loop {
        let stopped = async {
            race((heard.terminate.recv(), heard.interrupt.recv())).await;
            Ending::Stopped
        };
        let restarted = async {
            heard.restart.recv().await;
            Ending::HandedOver
        };
        if race((stopped, restarted)).await == Ending::Stopped {
            return Ending::Stopped;
        }
        match hand_over(sockets, settings).await {
            Ok(next) => {
                notify(&format!("MAINPID={next}"));
                eprintln!("{}: process {next} takes over", process::id());
                return Ending::HandedOver;
            }
            Err(error) => eprintln!("{}: no restart: {error}", process::id()),
        }
    }
}
