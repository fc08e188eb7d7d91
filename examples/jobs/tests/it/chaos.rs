//! Ten thousand jobs on a real server, while workers are killed at random and the server is restarted.
//!
//! `JOBS_CHAOS=1000` makes it another number of jobs, `JOBS_CHAOS_SEED` another course of events.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coro::group::map_concurrent;
use coro::threads::to_thread;
use coro::{gather, sleep};
use fastrand::Rng;
use jobs::{Producer, Queue};

use crate::real_redis::RealRedis;

const WORKERS: usize = 4;
const LEASE_MS: u64 = 1_500;
/// The signal by which a job of the kind `kills` ends its worker.
const SIGABRT: i32 = 6;
/// How long the queue may stand still.
const PATIENCE: Duration = Duration::from_secs(120);

/// Jobs that fail each time, panic each time, and end their worker each time.
const POISON: [(u32, &str); 4] = [
    (100, "fails"),
    (200, "panics"),
    (300, "kills"),
    (400, "kills"),
];

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn number_from(name: &str, default: u64) -> u64 {
    let set = env::var(name).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

/// The processes of the workers, each with a file of its standard output for each of its lives.
struct Workers {
    address: String,
    directory: PathBuf,
    running: Vec<(usize, Child)>,
    /// The lives that were ended by SIGKILL, or by their job.
    killed: Vec<usize>,
    /// A worker that stands still, and until when.
    stopped: Option<(usize, Instant)>,
    stops: usize,
    lives: usize,
}

impl Workers {
    fn start(&mut self, place: usize) {
        self.lives += 1;
        let output = File::create(self.output_of(self.lives)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_jobs"))
            .args([
                "work",
                &self.address,
                "q",
                &format!("worker-{}", self.lives),
            ])
            .arg(LEASE_MS.to_string())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        match self.running.get_mut(place) {
            Some(before) => *before = (self.lives, child),
            None => self.running.push((self.lives, child)),
        }
    }

    fn output_of(&self, life: usize) -> PathBuf {
        self.directory.join(format!("worker-{life}"))
    }

    fn kill(&mut self, place: usize) {
        let (life, child) = &mut self.running[place];
        child.kill().unwrap();
        child.wait().unwrap();
        self.killed.push(*life);
        self.start(place);
    }

    /// Stops a worker for longer than its leases last, as a debugger or a full machine does.
    fn hold_up(&mut self, place: usize) {
        if self.stopped.is_none() {
            send("-STOP", &self.running[place].1);
            self.stopped = Some((place, Instant::now() + 2 * ms(LEASE_MS)));
            self.stops += 1;
        }
    }

    fn let_go(&mut self, now: Instant) {
        if let Some((place, _)) = self.stopped.take_if(|(_, until)| *until <= now) {
            send("-CONT", &self.running[place].1);
        }
    }

    /// Starts those again that have ended by themselves.
    fn restart_the_dead(&mut self) {
        for place in 0..self.running.len() {
            let (life, child) = &mut self.running[place];
            if let Some(status) = child.try_wait().unwrap() {
                let by_its_job = status.signal() == Some(SIGABRT);
                assert!(by_its_job, "worker {life} ended by itself: {status}");
                self.killed.push(*life);
                self.start(place);
            }
        }
    }

    /// Stops them in order. Each says how many jobs it has done, and that it has dropped none.
    fn stop(&mut self) {
        if let Some((_, until)) = self.stopped {
            self.let_go(until);
        }
        for (_, child) in &self.running {
            send("-TERM", child);
        }
        for (life, mut child) in self.running.drain(..).collect::<Vec<_>>() {
            assert!(child.wait().unwrap().success(), "worker {life} failed");
            let output = fs::read_to_string(self.output_of(life)).unwrap();
            assert!(output.trim_end().ends_with(", 0 dropped"), "worker {life}");
        }
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    Command::new("kill").args([signal, &id]).status().unwrap();
}

impl Drop for Workers {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Adds the jobs, each once, however often the server is away.
async fn push_all(queue: &Queue, count: u32) {
    let producer = Producer::new(queue);
    let push = async |number: u32| {
        let kind = POISON.iter().find(|(of, _)| *of == number);
        let kind = kind.map_or("6", |(_, kind)| kind);
        let payload = format!("{number} {kind}");
        let token = number.to_string();
        while producer
            .push_once(&token, ms(3_600_000), &payload)
            .await
            .is_err()
        {
            sleep(ms(20)).await;
        }
    };
    map_concurrent(1..=count, 20, push).await;
}

/// Kills workers and restarts the server until the queue is empty.
async fn chaos(
    redis: RealRedis,
    workers: &mut Workers,
    rng: &mut Rng,
    pushed: &Cell<bool>,
) -> RealRedis {
    let producer = Producer::new(&Queue::new(&redis.address(), "q"));
    let mut redis = Some(redis);
    let (mut last, mut changed) = (None, Instant::now());
    for round in 1.. {
        sleep(ms(rng.u64(50..250))).await;
        workers.restart_the_dead();
        let backlog = producer.backlog().await.ok();
        if backlog != last {
            (last, changed) = (backlog, Instant::now());
        }
        assert!(
            changed.elapsed() < PATIENCE,
            "the queue stands still: {last:?}"
        );
        if pushed.get() && backlog.is_some_and(|backlog| backlog.unfinished == 0) {
            break;
        }
        workers.let_go(Instant::now());
        match rng.u32(..16) {
            0..6 => workers.kill(rng.usize(..WORKERS)),
            6 => workers.hold_up(rng.usize(..WORKERS)),
            _ => {}
        }
        if round % 12 == 6 {
            let is_kill = rng.bool();
            let pause = ms(rng.u64(..400));
            let mut server = redis.take().expect("it is put back");
            let again = to_thread(move || {
                match is_kill {
                    true => server.kill(),
                    false => server.terminate(),
                }
                std::thread::sleep(pause);
                server.start_again();
                server
            });
            redis = Some(again.await.expect("it starts again"));
        }
    }
    redis.expect("it is put back")
}

/// The life of a worker in which an effect of a job happened, and the number of the job's entry.
type Effect = (usize, String);

/// Everything that the workers have written.
#[derive(Default)]
struct Written {
    effects: BTreeMap<u32, Vec<Effect>>,
    acknowledged: BTreeMap<String, u32>,
    not_held: Vec<Effect>,
}

fn read_all(workers: &Workers) -> Written {
    let mut written = Written::default();
    for life in 1..=workers.lives {
        for line in read_lines(&workers.output_of(life)) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["effect", id, number] => {
                    let effects = written.effects.entry(number.parse().unwrap());
                    effects.or_default().push((life, id.to_owned()));
                }
                ["acknowledged", id, _] => {
                    *written.acknowledged.entry(id.to_owned()).or_default() += 1;
                }
                ["not-held", id, _] => written.not_held.push((life, id.to_owned())),
                _ => {}
            }
        }
    }
    written
}

/// The whole lines of a file; a worker that was killed may have left half a line.
fn read_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}

/// Holds everything against the promise; gives how many jobs were done more than once.
fn check(workers: &Workers, count: u32) -> usize {
    let written = read_all(workers);
    let mut repeated = 0;
    for number in 1..=count {
        let effects = written.effects.get(&number).map_or(&[][..], Vec::as_slice);
        if POISON.iter().any(|(of, _)| *of == number) {
            assert!(
                effects.is_empty(),
                "job {number} cannot be done: {effects:?}"
            );
            continue;
        }
        assert!(!effects.is_empty(), "job {number} is lost");
        let id = &effects[0].1;
        assert!(
            effects.iter().all(|(_, of)| of == id),
            "job {number} was added twice"
        );
        let acknowledged = written.acknowledged.get(id).copied().unwrap_or(0);
        assert!(
            acknowledged <= 1,
            "job {number} was acknowledged {acknowledged} times"
        );
        let has_reason =
            |it: &&Effect| workers.killed.contains(&it.0) || written.not_held.contains(it);
        let with_reason = effects.iter().filter(has_reason).count();
        assert!(
            effects.len() - with_reason <= 1,
            "job {number} was done again without a reason: {effects:?}"
        );
        repeated += usize::from(effects.len() > 1);
    }
    repeated
}

#[coro::test(real)]
async fn ten_thousand_jobs_survive_killed_workers_and_restarts_of_the_server() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let count = u32::try_from(number_from("JOBS_CHAOS", 10_000)).expect("a number of jobs");
    let seed = number_from("JOBS_CHAOS_SEED", fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    println!("JOBS_CHAOS_SEED={seed}");
    let begun = Instant::now();
    let queue = Queue::new(&redis.address(), "q");
    let mut workers = Workers {
        address: redis.address(),
        directory: redis.directory.clone(),
        running: Vec::new(),
        killed: Vec::new(),
        stopped: None,
        stops: 0,
        lives: 0,
    };
    (0..WORKERS).for_each(|place| workers.start(place));
    let pushed = Cell::new(false);
    let ((), redis) = gather((
        async {
            push_all(&queue, count).await;
            pushed.set(true);
        },
        chaos(redis, &mut workers, &mut rng, &pushed),
    ))
    .await;
    workers.stop();
    let backlog = Producer::new(&queue).backlog().await.unwrap();
    let poison = POISON.iter().filter(|(number, _)| *number <= count).count() as u64;
    assert_eq!(
        (backlog.unfinished, backlog.held, backlog.dead),
        (0, 0, poison)
    );
    let repeated = check(&workers, count);
    println!(
        "{count} jobs in {:.1?}: {} lives of workers, {} killed, {} held up; \
         {repeated} jobs done again",
        begun.elapsed(),
        workers.lives,
        workers.killed.len(),
        workers.stops,
    );
    drop(redis);
}
