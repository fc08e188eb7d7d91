//! The simulated server answers as a real one does, to everything that `jobs` asks.

use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use jobs::{CLAIM, LEAVE, PUSH_ONCE, RENEW, SETTLE};
use redis::Value;

use crate::real_redis::RealRedis;
use crate::simulated_redis::Memory;

/// A conversation. `$1` stands for the number of the first entry that was added, `...` for a pause
/// that is longer than the leases.
const COMMANDS: &[&str] = &[
    "XLEN q",
    "XPENDING q workers",
    "XREADGROUP GROUP workers one COUNT 2 STREAMS q >",
    "CLAIM 1 q workers one 500 0-0 5 1",
    "RENEW 1 q workers one 1-1",
    "LEAVE 1 q workers one",
    "XGROUP CREATE q workers 0 MKSTREAM",
    "XGROUP CREATE q workers 0 MKSTREAM",
    "XPENDING q workers",
    "XREADGROUP GROUP workers one COUNT 2 BLOCK 10 STREAMS q >",
    "XADD q * payload a",
    "XADD q * payload b",
    "XADD q * payload c",
    "XADD q * payload d",
    "PUSH_ONCE 2 q q:token:e 60000 e",
    "PUSH_ONCE 2 q q:token:e 60000 e",
    "XLEN q",
    "XREADGROUP GROUP workers one COUNT 2 STREAMS q >",
    "XREADGROUP GROUP workers two COUNT 2 BLOCK 10 STREAMS q >",
    "XPENDING q workers",
    "CLAIM 1 q workers two 500 0-0 5 1", // too early
    "SETTLE 1 q workers $1",
    "SETTLE 1 q workers $1",
    "...",
    "RENEW 1 q workers two $1 $2 $3 $4",
    "CLAIM 1 q workers two 500 0-0 5 1",
    "XPENDING q workers",
    "RENEW 1 q workers one $2",
    "LEAVE 1 q workers one",
    "LEAVE 1 q workers two",
    "...",
    "CLAIM 1 q workers two 500 0-0 1 1", // one of three, and the place of the next
    "CLAIM 1 q workers two 500 $3 1 1",
    "CLAIM 1 q workers two 500 $4 9 1",
    "...",
    "CLAIM 1 q workers one 500 0-0 5 1", // one suspect alone, the others go back
    "CLAIM 1 q workers one 500 0-0 5 0",
    "CLAIM 1 q workers one 500 0-0 5 1",
    "CLAIM 1 q workers one 500 0-0 5 1",
    "SETTLE 2 q q:dead workers $2 payload b dead-reason why",
    "SETTLE 2 q q:dead workers $2 payload b dead-reason why",
    "XLEN q:dead",
    "XPENDING q workers",
    "XLEN q",
    "SETTLE 1 nothing workers $1",
];

fn words(command: &str, added: &[String]) -> Vec<Vec<u8>> {
    let script = |word: &str| match word {
        "SETTLE" => Some(SETTLE),
        "CLAIM" => Some(CLAIM),
        "RENEW" => Some(RENEW),
        "LEAVE" => Some(LEAVE),
        "PUSH_ONCE" => Some(PUSH_ONCE),
        _ => None,
    };
    let words = command
        .split(' ')
        .flat_map(|word| match (script(word), word.strip_prefix('$')) {
            (Some(script), _) => vec!["EVAL".into(), script.into()],
            (None, Some(number)) => {
                let number: usize = number.parse().unwrap();
                vec![added[number - 1].clone().into_bytes()]
            }
            (None, None) => vec![word.into()],
        });
    words.collect()
}

/// An answer in which each number of an entry is written as which one it is.
fn shown(answer: &Value, added: &mut Vec<String>, command: &str, out: &mut String) {
    match answer {
        Value::Array(values) => {
            out.push_str("[ ");
            for value in values {
                shown(value, added, command, out);
            }
            out.push_str("] ");
        }
        Value::BulkString(bytes) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let adds = command.starts_with("XADD") || command.starts_with("PUSH_ONCE");
            if adds {
                added.push(text.clone());
            }
            match added.iter().position(|id| *id == text) {
                Some(number) => write!(out, "${} ", number + 1).unwrap(),
                None => write!(out, "{text} ").unwrap(),
            }
        }
        Value::ServerError(error) => {
            // The text of an error in a script ends with the place in the script.
            let text = error.details().unwrap_or_default();
            let text = text.split(" script: ").next().unwrap_or_default();
            write!(out, "{} {text}", error.code()).unwrap();
        }
        other => write!(out, "{other:?} ").unwrap(),
    }
}

async fn conversation(mut answer: impl FnMut(Vec<Vec<u8>>) -> Value) -> Vec<String> {
    let (mut added, mut answers) = (Vec::new(), Vec::new());
    for command in COMMANDS {
        if *command == "..." {
            coro::sleep(Duration::from_millis(700)).await;
            continue;
        }
        let value = answer(words(command, &added));
        let mut text = format!("{command}: ");
        shown(&value, &mut added, command, &mut text);
        answers.push(text.trim_end().to_owned());
    }
    answers
}

#[coro::test(real)]
async fn the_simulated_server_answers_as_a_real_one() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let client = redis::Client::open(format!("redis://{}", redis.address)).unwrap();
    let mut client = client.get_connection().unwrap();
    let of_redis = conversation(|command| {
        let mut packed = redis::Cmd::new();
        packed.arg(command);
        match client.send_packed_command(&packed.get_packed_command()) {
            Ok(()) => client.recv_response().unwrap(),
            Err(error) => panic!("{error}"),
        }
    });
    let memory = Rc::new(Memory::default());
    let of_memory = conversation(|command| {
        let mut written = Vec::new();
        memory.run(&command).write(&mut written);
        redis::parse_redis_value(&written).unwrap()
    });
    let (of_redis, of_memory) = coro::gather((of_redis, of_memory)).await;
    assert_eq!(of_redis, of_memory);
}
