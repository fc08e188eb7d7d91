//! A client that repeats its requests, a server that must count each once, and the network between.
//!
//! ```text
//! $ cargo run --release --features simulation --example retrying_client
//! ..
//! failed ..: assertion `left == right` failed: each request counts once
//! ..
//! the sound server counted right with 1000 seeds
//! ```
//!
//! Given the name of a file that ends in `.svg`, it writes the shrunk run there as a picture.
//!
//! Three clients send increments as datagrams, and send again after 20 ms without an answer. The
//! network delays datagrams and loses some. A server that looks the request up, and then waits for
//! its disk, counts a request twice if its repeat arrives meanwhile. Simulations find that, and the
//! printed run is shrunk to the one packet that matters.

mod client;
mod server;

use std::rc::Rc;
use std::time::Duration;

use coro::gather;
use coro::testing::{FailedRun, PacketKind, Sim, Verdict, explore};
use server::{Design, Disk, serve};

const SEEDS: u64 = 1_000;

fn main() {
    match explore().seeds(SEEDS).try_run(careless) {
        Err(failed) => {
            println!("{failed}");
            draw(&failed);
        }
        Ok(_) => println!("the careless server counted right, by luck"),
    }
    explore().seeds(SEEDS).run(sound);
    println!("the sound server counted right with {SEEDS} seeds");
}

/// Writes the shrunk run into the file that the program was given, if it was given one.
fn draw(failed: &FailedRun) {
    let picture = std::env::args()
        .nth(1)
        .filter(|name| name.ends_with(".svg"));
    if let Some(name) = picture {
        match std::fs::write(&name, failed.chart()) {
            Ok(()) => println!("the run is drawn in {name}"),
            Err(error) => println!("{name} cannot be written: {error}"),
        }
    }
}

pub(crate) async fn careless(sim: &Sim) {
    count(sim, Design::Careless).await;
}

pub(crate) async fn sound(sim: &Sim) {
    count(sim, Design::Sound).await;
}

async fn count(sim: &Sim, design: Design) {
    sim.latency(Duration::from_millis(1), Duration::from_millis(2));
    let _weather = sim.rule({
        let sim = sim.clone();
        move |packet| match packet.kind {
            PacketKind::Datagram if sim.chance(50_000) => Verdict::Drop,
            PacketKind::Datagram if sim.chance(20_000) => {
                Verdict::Delay(Duration::from_millis(1 + u64::from(sim.choose(30))))
            }
            _ => Verdict::Pass,
        }
    });
    let disk = Rc::<Disk>::default();
    let host = sim.host("server", {
        let disk = disk.clone();
        move || serve(design, disk.clone())
    });
    let clients = [1, 2, 3].map(|client| client::increment(client, 5, host.ip()));
    gather(clients).await;
    assert_eq!(disk.value.get(), 15, "each request counts once");
}
