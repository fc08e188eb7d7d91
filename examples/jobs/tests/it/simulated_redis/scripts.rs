//! The scripts of `jobs`, as the server carries them out: known by their texts.

use jobs::{CLAIM, LEAVE, PUSH_ONCE, RENEW, SETTLE, SUSPECT};

use super::resp::{Reply, number};
use super::streams::{Delivered, EntryId, Streams, bulk, entry, entry_id, no_group, written};

/// The name of the arguments after the keys.
type Arguments<'a> = &'a [Vec<u8>];

impl Streams {
    /// `rest` begins after the number of keys; each script here has its own.
    pub(super) fn eval(&mut self, script: &[u8], rest: &[Vec<u8>], now: u64) -> Reply {
        match std::str::from_utf8(script).unwrap_or_default() {
            SETTLE => {
                // With one key the next argument is the group, and the last a number of an entry.
                let keys = if rest.len() == 3 { 1 } else { 2 };
                let (keys, arguments) = rest.split_at(keys);
                self.settle(&keys[0], keys.get(1), arguments, now)
            }
            CLAIM => self.claim(&rest[0], &rest[1..], now),
            RENEW => self.renew(&rest[0], &rest[1..], now),
            LEAVE => self.leave(&rest[0], &rest[1..]),
            PUSH_ONCE => self.push_once(&rest[0], &rest[1], &rest[2..], now),
            _ => Reply::Error("ERR this script is not simulated".into()),
        }
    }

    fn settle(
        &mut self,
        stream: &[u8],
        dead: Option<&Vec<u8>>,
        of: Arguments<'_>,
        now: u64,
    ) -> Reply {
        let Some(id) = entry_id(&of[1]) else {
            return Reply::Error(
                "ERR Invalid stream ID specified as stream command argument".into(),
            );
        };
        let held = self.group(stream).and_then(|group| group.held.remove(&id));
        self.stream(stream).entries.remove(&id);
        if let (Some(_), Some(dead)) = (&held, dead) {
            self.add(dead, &of[2..], now);
        }
        Reply::Integer(i64::from(held.is_some()))
    }

    fn claim(&mut self, stream: &[u8], of: Arguments<'_>, now: u64) -> Reply {
        let [group, worker, lease, from, most, room] = of else {
            return Reply::Error("ERR arguments of the script".into());
        };
        let lease = number(lease).unwrap_or(0) as u64;
        let most = number(most).unwrap_or(0) as usize;
        let mut room = number(room).unwrap_or(0);
        let from = entry_id(from).unwrap_or_default();
        let Some(of_group) = self.group(stream) else {
            return no_group(stream, group, " script: simulated");
        };
        of_group.workers.insert(worker.clone());
        let mut claimed = Vec::new();
        let mut next = (0, 0);
        for (id, delivered) in of_group.held.range_mut(from..) {
            if now.saturating_sub(delivered.since) < lease {
                continue;
            }
            if claimed.len() == most {
                next = *id;
                break;
            }
            delivered.worker = worker.clone();
            delivered.since = now;
            delivered.count += 1;
            claimed.push((*id, delivered.count));
        }
        let is_suspect = |count: i64| count >= i64::from(SUSPECT);
        claimed.retain(|(id, count)| {
            if is_suspect(*count) && room == 0 {
                let delivered = of_group.held.get_mut(id).expect("it was claimed");
                delivered.since = now - lease;
                delivered.count -= 1;
                return false;
            }
            room -= i64::from(is_suspect(*count));
            true
        });
        self.claimed(stream, next, &claimed)
    }

    fn claimed(&mut self, stream: &[u8], next: EntryId, claimed: &[(EntryId, i64)]) -> Reply {
        let entries = &self.stream(stream).entries;
        let entries = claimed.iter().map(|(id, _)| entry((id, &entries[id])));
        let entries = Reply::Array(entries.collect());
        let counts = claimed.iter().map(|(_, count)| Reply::Integer(*count));
        Reply::Array(vec![written(next), entries, Reply::Array(counts.collect())])
    }

    fn renew(&mut self, stream: &[u8], of: Arguments<'_>, now: u64) -> Reply {
        let (group, worker) = (&of[0], &of[1]);
        let Some(of_group) = self.group(stream) else {
            return no_group(stream, group, " script: simulated");
        };
        let mut lost = Vec::new();
        for text in &of[2..] {
            let held = entry_id(text).and_then(|id| of_group.held.get_mut(&id));
            match held.filter(|delivered: &&mut Delivered| delivered.worker == *worker) {
                Some(delivered) => delivered.since = now,
                None => lost.push(bulk(text)),
            }
        }
        Reply::Array(lost)
    }

    fn leave(&mut self, stream: &[u8], of: Arguments<'_>) -> Reply {
        let (group, worker) = (&of[0], &of[1]);
        let Some(of_group) = self.group(stream) else {
            return no_group(stream, group, " script: simulated");
        };
        if of_group
            .held
            .values()
            .any(|delivered| delivered.worker == *worker)
        {
            return Reply::Integer(0);
        }
        of_group.workers.remove(worker);
        Reply::Integer(1)
    }

    fn push_once(&mut self, stream: &[u8], token: &[u8], of: Arguments<'_>, now: u64) -> Reply {
        if self.tokens.get(token).is_some_and(|until| now < *until) {
            return Reply::Nil;
        }
        let remember = number(&of[0]).unwrap_or(0) as u64;
        self.tokens
            .insert(token.to_vec(), now.saturating_add(remember));
        self.add(stream, &[b"payload".to_vec(), of[1].clone()], now)
    }
}
