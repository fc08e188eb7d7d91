//! The store of keys with values, which executes the commands.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::resp::{Reply, number};

/// All keys with their values never take more bytes than this.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The data that all connections share. Everything runs on one thread, so plain cells are enough.
#[derive(Default)]
pub(crate) struct Store {
    values: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
    bytes: Cell<usize>,
}

impl Store {
    /// Executes a command.
    pub(crate) fn run(&self, command: &[&[u8]]) -> Reply {
        let Some((name, arguments)) = command.split_first() else {
            return Reply::Error("ERR empty command".into());
        };
        match (*name, arguments) {
            (b"GET", [key]) => return self.get(key), // the commonest, without a copy of the name
            (b"SET", [key, value]) => return self.set(key, value),
            _ => {}
        }
        let name = String::from_utf8_lossy(name).to_uppercase();
        match (name.as_str(), arguments) {
            ("PING", []) => Reply::Simple("PONG"),
            ("PING" | "ECHO", [text]) => Reply::Bulk(text.to_vec()),
            ("GET", [key]) => self.get(key),
            ("SET", [key, value]) => self.set(key, value),
            ("SET", [_, _, ..]) => Reply::Error("ERR syntax error".into()),
            ("DEL", [_, ..]) => Reply::Integer(arguments.iter().map(|key| self.del(key)).sum()),
            ("EXISTS", [_, ..]) => {
                let values = self.values.borrow();
                let there = arguments.iter().filter(|key| values.contains_key(**key));
                Reply::Integer(there.count() as i64)
            }
            ("INCR", [key]) => self.add(key, 1),
            ("DECR", [key]) => self.add(key, -1),
            ("DBSIZE", []) => Reply::Integer(self.values.borrow().len() as i64),
            _ => greeting(&name, arguments),
        }
    }

    fn get(&self, key: &[u8]) -> Reply {
        let values = self.values.borrow();
        values
            .get(key)
            .map_or(Reply::Nil, |value| Reply::Bulk(value.clone()))
    }

    fn set(&self, key: &[u8], value: &[u8]) -> Reply {
        let mut values = self.values.borrow_mut();
        let place = values.get_mut(key);
        let before = place.as_ref().map_or(0, |place| key.len() + place.len());
        let bytes = self.bytes.get() - before + key.len() + value.len();
        if bytes > BYTES_MAX {
            return Reply::Error("OOM command not allowed: the memory for values is full".into());
        }
        self.bytes.set(bytes);
        match place {
            // Written over, unless that would keep much more memory than the new value needs.
            Some(place) if place.capacity() <= value.len().max(64) * 2 => {
                place.clear();
                place.extend_from_slice(value);
            }
            Some(place) => *place = value.to_vec(),
            None => {
                values.insert(key.to_vec(), value.to_vec());
            }
        }
        Reply::Simple("OK")
    }

    fn del(&self, key: &[u8]) -> i64 {
        match self.values.borrow_mut().remove(key) {
            None => 0,
            Some(value) => {
                self.bytes.set(self.bytes.get() - key.len() - value.len());
                1
            }
        }
    }

    fn add(&self, key: &[u8], by: i64) -> Reply {
        let before = self
            .values
            .borrow()
            .get(key)
            .map_or(Some(0), |it| number(it));
        let Some(before) = before else {
            return Reply::Error("ERR value is not an integer or out of range".into());
        };
        let Some(sum) = before.checked_add(by) else {
            return Reply::Error("ERR increment or decrement would overflow".into());
        };
        match self.set(key, sum.to_string().as_bytes()) {
            Reply::Simple(_) => Reply::Integer(sum),
            error => error,
        }
    }
}

/// The commands that clients send when they connect.
fn greeting(name: &str, arguments: &[&[u8]]) -> Reply {
    let text = |text: &str| Reply::Bulk(text.into());
    match (name, arguments) {
        ("HELLO", [] | [b"2", ..]) => hello(),
        ("HELLO", _) => Reply::Error("NOPROTO unsupported protocol version".into()),
        ("COMMAND", _) => Reply::Array(Vec::new()),
        ("CONFIG", [get, key]) if get.eq_ignore_ascii_case(b"GET") => {
            Reply::Array(vec![Reply::Bulk(key.to_vec()), text("")])
        }
        ("CLIENT", [_, ..]) | ("QUIT", []) => Reply::Simple("OK"),
        ("SELECT", [b"0"]) => Reply::Simple("OK"),
        ("SELECT", [_]) => Reply::Error("ERR DB index is out of range".into()),
        ("INFO", _) => text("# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\n"),
        ("PING" | "ECHO" | "GET" | "SET" | "DEL" | "EXISTS" | "INCR" | "DECR" | "DBSIZE", _)
        | ("CONFIG" | "CLIENT" | "QUIT" | "SELECT", _) => {
            let name = name.to_lowercase();
            Reply::Error(format!(
                "ERR wrong number of arguments for '{name}' command"
            ))
        }
        _ => {
            let name: String = name
                .chars()
                .filter(|it| !it.is_control())
                .take(64)
                .collect();
            Reply::Error(format!("ERR unknown command '{name}'"))
        }
    }
}

fn hello() -> Reply {
    let text = |text: &str| Reply::Bulk(text.into());
    Reply::Array(vec![
        text("server"),
        text("redis"),
        text("version"),
        text("7.0.0"),
        text("proto"),
        Reply::Integer(2),
        text("mode"),
        text("standalone"),
        text("role"),
        text("master"),
    ])
}
