//! `RealRedis`: a server of a test's own, which can be killed and started again.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// How long the server may take to listen.
const START: Duration = Duration::from_secs(60);

/// A server with a port and a directory of its own. It forgets nothing that it has answered.
pub(crate) struct RealRedis {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) directory: PathBuf,
}

impl Drop for RealRedis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl RealRedis {
    /// Starts a server, or says that there is none to start.
    pub(crate) fn start() -> Option<RealRedis> {
        let version = Command::new("redis-server").arg("--version").output();
        if version.is_err() {
            println!("skipped: there is no redis-server here");
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("coro-jobs-{}-{number}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let child = spawn(address, &directory);
        let mut server = RealRedis {
            child,
            address,
            directory,
        };
        server.wait_until_it_listens();
        Some(server)
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends it as SIGKILL does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it in order, as an operator does.
    pub(crate) fn terminate(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        let _ = self.child.wait();
    }

    /// Starts it again at the same port, with everything that it knew.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.address, &self.directory);
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = || fs::read_to_string(self.directory.join("log"));
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "redis ended: {ended:?}: {:?}", log());
            assert!(
                begun.elapsed() < START,
                "redis does not listen: {:?}",
                log()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn spawn(address: SocketAddr, directory: &PathBuf) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--save", "", "--bind", "127.0.0.1", "--port"]);
    command
        .arg(address.port().to_string())
        .arg("--dir")
        .arg(directory);
    command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    command.args(["--logfile", "log"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap()
}
