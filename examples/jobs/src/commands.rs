//! The commands that workers and producers send to Redis, and their answers: no socket, no clock.

use std::time::Duration;

use redis::{Cmd, FromRedisValue, RedisError, Value, cmd};

use crate::job::Entry;

/// Acknowledges an entry and deletes it; if there is a second key, the entry goes on there, with the
/// fields after its number. Gives 1, or 0 if the entry was settled before, and is copied nowhere.
///
/// In one script, so that no crash comes between the steps, and of two workers that settle the same
/// entry one alone copies it.
pub const SETTLE: &str = "\
local held = redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
if held == 1 and KEYS[2] then redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3)) end
return held";

/// Takes over entries whose leases have lapsed, of any worker. Gives the place to go on at, the
/// entries, and for each how often it was delivered.
///
/// Of those that were delivered twice before it takes one, or none if the last argument is 0, and
/// gives the others back as they were: see [`SUSPECT`].
pub const CLAIM: &str = "\
local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local room = tonumber(ARGV[6])
local entries, deliveries = {}, {}
for _, entry in ipairs(claimed[2]) do
  local id = entry[1]
  local delivery = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1][4]
  if delivery >= 3 and room == 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'IDLE', ARGV[3], 'RETRYCOUNT', delivery - 1, 'JUSTID')
  else
    if delivery >= 3 then room = room - 1 end
    entries[#entries + 1] = entry
    deliveries[#deliveries + 1] = delivery
  end
end
return {claimed[1], entries, deliveries}";

/// From this delivery on a job is suspected of ending its workers, and is alone of its kind at a
/// worker. Otherwise all jobs of a worker that dies would come to the next one together, and those
/// beside such a job would be put aside with it.
pub const SUSPECT: u32 = 3;

/// Begins the leases of entries anew, and gives those that this worker does not hold any more: it
/// takes none back from another.
pub const RENEW: &str = "\
local lost = {}
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost";

/// Takes a worker off the list of the group, unless it still holds entries, which would go with it.
pub const LEAVE: &str = "\
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1";

/// Adds a job, unless one with the same token was added a short while ago.
pub const PUSH_ONCE: &str = "\
if not redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', 'payload', ARGV[2])";

/// The names of the streams and of the group.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) stream: String,
    pub(crate) dead: String,
    pub(crate) group: String,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Names {
    /// Makes the group, and the stream with it; an error `BUSYGROUP` says that there is one.
    pub(crate) fn make_group(&self) -> Cmd {
        let mut command = cmd("XGROUP");
        command.arg("CREATE").arg(&self.stream).arg(&self.group);
        command.arg("0").arg("MKSTREAM");
        command
    }

    /// Waits up to `block` for new entries; not at all for a duration of zero, which Redis takes for
    /// no limit.
    pub(crate) fn read(&self, worker: &str, count: usize, block: Duration) -> Cmd {
        let mut command = cmd("XREADGROUP");
        command.arg("GROUP").arg(&self.group).arg(worker);
        command.arg("COUNT").arg(count);
        if !block.is_zero() {
            command.arg("BLOCK").arg(millis(block).max(1));
        }
        command.arg("STREAMS").arg(&self.stream).arg(">");
        command
    }

    /// Takes over up to `count` entries, of which `suspects` may be suspected of ending workers.
    pub(crate) fn claim(
        &self,
        worker: &str,
        lease: Duration,
        from: &str,
        (count, suspects): (usize, usize),
    ) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(CLAIM).arg(1).arg(&self.stream).arg(&self.group);
        command.arg(worker).arg(millis(lease)).arg(from);
        command.arg(count).arg(suspects);
        command
    }

    pub(crate) fn renew(&self, worker: &str, ids: &[String]) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(RENEW).arg(1).arg(&self.stream).arg(&self.group);
        command.arg(worker).arg(ids);
        command
    }

    pub(crate) fn acknowledge(&self, id: &str) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(SETTLE).arg(1).arg(&self.stream);
        command.arg(&self.group).arg(id);
        command
    }

    /// Moves an entry to the dead ones, with three more fields that say where it came from.
    pub(crate) fn put_aside(&self, entry: &Entry, reason: &str) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(SETTLE).arg(2).arg(&self.stream).arg(&self.dead);
        command.arg(&self.group).arg(&entry.id);
        for (name, value) in &entry.fields {
            command.arg(name).arg(value);
        }
        command.arg("dead-id").arg(&entry.id);
        command.arg("dead-deliveries").arg(entry.delivery);
        command.arg("dead-reason").arg(reason);
        command
    }

    pub(crate) fn leave(&self, worker: &str) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(LEAVE).arg(1).arg(&self.stream);
        command.arg(&self.group).arg(worker);
        command
    }

    pub(crate) fn push(&self, payload: &[u8]) -> Cmd {
        let mut command = cmd("XADD");
        command
            .arg(&self.stream)
            .arg("*")
            .arg("payload")
            .arg(payload);
        command
    }

    pub(crate) fn push_once(&self, token: &str, remember: Duration, payload: &[u8]) -> Cmd {
        let key = format!("{}:token:{token}", self.stream);
        let mut command = cmd("EVAL");
        command.arg(PUSH_ONCE).arg(2).arg(&self.stream).arg(key);
        command.arg(millis(remember).max(1)).arg(payload);
        command
    }
}

/// The entries of an answer to [`Names::read`]: of one stream, or nothing.
pub(crate) fn entries_read(answer: Value) -> Result<Vec<Entry>, RedisError> {
    type Stream = (String, Vec<Value>);
    let streams: Option<Vec<Stream>> = FromRedisValue::from_redis_value(answer)?;
    let streams = streams.unwrap_or_default().into_iter();
    let entries = streams.flat_map(|(_, entries)| entries);
    entries.map(|entry| read_entry(entry, 1)).collect()
}

/// The place to go on at, and the entries, of an answer to [`Names::claim`].
pub(crate) fn entries_claimed(answer: Value) -> Result<(String, Vec<Entry>), RedisError> {
    type Claimed = (String, Vec<Value>, Vec<u32>);
    let (next, entries, deliveries): Claimed = FromRedisValue::from_redis_value(answer)?;
    let entries = entries.into_iter().zip(deliveries);
    let entries = entries.map(|(entry, delivery)| read_entry(entry, delivery));
    Ok((next, entries.collect::<Result<_, _>>()?))
}

fn read_entry(entry: Value, delivery: u32) -> Result<Entry, RedisError> {
    let (id, mut flat): (String, Vec<Vec<u8>>) = FromRedisValue::from_redis_value(entry)?;
    let mut fields = Vec::new();
    let mut parts = flat.drain(..);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        fields.push((name, value));
    }
    drop(parts);
    Ok(Entry {
        id,
        fields,
        delivery,
    })
}
