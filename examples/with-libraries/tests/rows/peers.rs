//! `Peer`: a real server that a test starts on a free port, and that ends with the test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(60);

/// A running server, with a directory of its own.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: SocketAddr,
    directory: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The path of a program, or `None` with a word about it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let of_postgres = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut folders = env::split_paths(&path).chain(more).chain(of_postgres);
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|it| it.is_file()));
    if found.is_none() {
        println!("skipped: there is no {program} here");
    }
    found
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A new directory that every user may enter.
pub(crate) fn directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("coro-rows-{}-{number}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

impl Peer {
    /// Starts a server and waits until it listens.
    fn start(mut command: Command, address: SocketAddr, directory: PathBuf) -> Peer {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let log = fs::File::create(directory.join("stderr")).unwrap();
        let child = command.stderr(log).spawn().unwrap();
        let mut peer = Peer {
            child,
            address,
            directory,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = peer.child.try_wait().unwrap();
            let said = fs::read_to_string(peer.directory.join("stderr"));
            assert!(ended.is_none(), "it ended: {ended:?}: {said:?}");
            assert!(begun.elapsed() < START, "it does not listen: {said:?}");
            thread::sleep(Duration::from_millis(10));
        }
        peer
    }

    pub(crate) fn redis() -> Option<Peer> {
        let (address, directory) = (free_address(), directory());
        let mut command = Command::new(find("redis-server")?);
        command.args(["--save", "", "--bind", "127.0.0.1", "--port"]);
        command.arg(address.port().to_string());
        command.arg("--dir").arg(&directory);
        Some(Peer::start(command, address, directory))
    }

    pub(crate) fn nats() -> Option<Peer> {
        let (address, directory) = (free_address(), directory());
        let mut command = Command::new(find("nats-server")?);
        command.args(["--addr", "127.0.0.1", "--port"]);
        command.arg(address.port().to_string());
        Some(Peer::start(command, address, directory))
    }

    pub(crate) fn mosquitto() -> Option<Peer> {
        let (address, directory) = (free_address(), directory());
        let mut command = Command::new(find("mosquitto")?);
        command.args(["-p", &address.port().to_string()]);
        Some(Peer::start(command, address, directory))
    }

    /// nginx, which serves the files of `root`, and a file of 300,000 bytes called `large`.
    pub(crate) fn nginx() -> Option<Peer> {
        let (address, directory) = (free_address(), directory());
        let nginx = find("nginx")?;
        let root = directory.join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("small"), "a small file\n").unwrap();
        fs::write(root.join("large"), vec![b'x'; 300_000]).unwrap();
        let place = directory.display();
        let configuration = format!(
            "daemon off; worker_processes 1; pid {place}/pid; error_log {place}/error.log;
             events {{ worker_connections 512; }}
             http {{ access_log off; client_body_temp_path {place}/a; proxy_temp_path {place}/b;
                     fastcgi_temp_path {place}/c; uwsgi_temp_path {place}/d;
                     scgi_temp_path {place}/e;
                     server {{ listen {address}; root {place}/root; }} }}"
        );
        fs::write(directory.join("conf"), configuration).unwrap();
        let mut command = Command::new(nginx);
        command.arg("-p").arg(&directory);
        command.arg("-c").arg(directory.join("conf"));
        Some(Peer::start(command, address, directory))
    }

    /// PostgreSQL, which trusts its user `postgres`.
    pub(crate) fn postgres() -> Option<Peer> {
        let (address, directory) = (free_address(), directory());
        let (initdb, postgres) = (find("initdb")?, find("postgres")?);
        let data = directory.join("data");
        fs::create_dir(&data).unwrap();
        let is_root = is_root();
        if is_root && !hand_over(&data) {
            println!("skipped: PostgreSQL does not run as root, and there is no user postgres");
            return None;
        }
        let made = as_user(is_root, &initdb)
            .args([
                "--auth=trust",
                "--no-sync",
                "--username=postgres",
                "--pgdata",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut command = as_user(is_root, &postgres);
        command.arg("-D").arg(&data).args(["-F", "-h", "127.0.0.1"]);
        command.arg("-k").arg(&data); // its Unix socket
        command.args(["-p", &address.port().to_string()]);
        let peer = Peer::start(command, address, directory);
        let (port, ready) = (address.port().to_string(), find("pg_isready")?);
        let asks = || {
            Command::new(&ready)
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
        };
        while !asks().unwrap().success() {
            thread::sleep(Duration::from_millis(10)); // it listens, and is starting up
        }
        Some(peer)
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

fn hand_over(folder: &Path) -> bool {
    let status = Command::new("chown").arg("postgres").arg(folder).status();
    status.is_ok_and(|status| status.success()) && find("setpriv").is_some()
}

/// A command that is run by the user `postgres` if this is root.
fn as_user(is_root: bool, program: &Path) -> Command {
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    // Killed with the test: a signal to setpriv reaches the program that it has become.
    command.arg(program);
    command
}
