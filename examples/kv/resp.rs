//! RESP, the protocol of Redis clients, as pure functions over bytes.

use std::fmt;

/// The longest line, which is also the longest inline command.
const LINE_MAX: usize = 16 * 1024;
/// The most arguments of a command.
const ARGUMENTS_MAX: usize = 1024;
/// The longest argument, which is also the limit for all arguments of a command together.
const BYTES_MAX: usize = 1024 * 1024;

/// A command: its name, then its arguments, where they were received.
pub(crate) type Command<'a> = Vec<&'a [u8]>;

/// The client's bytes are no RESP, or exceed a limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtocolError(String);

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol error: {}", self.0)
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, ProtocolError> {
    Err(ProtocolError(why.into()))
}

/// The first of the received commands, with its length; `None` while it is incomplete.
///
/// The caller skips a command without arguments, such as an empty line.
pub(crate) fn parse(received: &[u8]) -> Result<Option<(Command<'_>, usize)>, ProtocolError> {
    let mut rest = Rest { bytes: received };
    let command = match received.first() {
        None => None,
        Some(b'*') => rest.array()?,
        Some(_) => rest.inline()?,
    };
    Ok(command.map(|command| (command, received.len() - rest.bytes.len())))
}

/// The bytes that remain to be parsed. Each method returns `None` while its part is incomplete.
struct Rest<'a> {
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    fn line(&mut self) -> Result<Option<&'a [u8]>, ProtocolError> {
        let searched = &self.bytes[..self.bytes.len().min(LINE_MAX)];
        let Some(end) = searched.iter().position(|it| *it == b'\n') else {
            return match self.bytes.len() < LINE_MAX {
                true => Ok(None),
                false => refuse("too big inline request"),
            };
        };
        let (line, rest) = self.bytes.split_at(end);
        self.bytes = &rest[1..];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    fn inline(&mut self) -> Result<Option<Command<'a>>, ProtocolError> {
        let words = |line: &'a [u8]| {
            let words = line.split(u8::is_ascii_whitespace);
            words.filter(|it| !it.is_empty()).collect()
        };
        Ok(self.line()?.map(words))
    }

    fn array(&mut self) -> Result<Option<Command<'a>>, ProtocolError> {
        let Some(head) = self.line()? else {
            return Ok(None);
        };
        let len = match number(&head[1..]) {
            Some(len) if len <= ARGUMENTS_MAX as i64 => len.max(0) as usize,
            _ => return refuse("invalid multibulk length"),
        };
        let mut command = Vec::with_capacity(len);
        let mut total = 0;
        while command.len() < len {
            let Some(argument) = self.bulk(BYTES_MAX - total)? else {
                return Ok(None);
            };
            total += argument.len();
            command.push(argument);
        }
        Ok(Some(command))
    }

    fn bulk(&mut self, len_max: usize) -> Result<Option<&'a [u8]>, ProtocolError> {
        let Some(head) = self.line()? else {
            return Ok(None);
        };
        match head.first() {
            Some(b'$') => {}
            Some(other) => return refuse(format!("expected '$', got '{}'", *other as char)),
            None => return refuse("expected '$', got the end of the line"),
        }
        let len = match number(&head[1..]) {
            Some(len) if (0..=len_max as i64).contains(&len) => len as usize,
            _ => return refuse("invalid bulk length"),
        };
        if self.bytes.len() < len + 2 {
            return Ok(None);
        }
        let (argument, rest) = self.bytes.split_at(len);
        self.bytes = match rest.strip_prefix(b"\r\n") {
            Some(rest) => rest,
            None => return refuse("an argument is longer than announced"),
        };
        Ok(Some(argument))
    }
}

/// A number as Redis reads it: digits, perhaps after a minus, without any other character.
pub(crate) fn number(text: &[u8]) -> Option<i64> {
    if let [digit @ b'0'..=b'9'] = text {
        return Some(i64::from(digit - b'0')); // as most lengths are
    }
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// The answer to a command.
#[derive(Debug)]
pub(crate) enum Reply {
    Simple(&'static str),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    Array(Vec<Reply>),
}

impl Reply {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut begin = |kind: u8, line: &[u8]| {
            out.push(kind);
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        };
        match self {
            Reply::Simple(text) => begin(b'+', text.as_bytes()),
            Reply::Error(text) => begin(b'-', text.as_bytes()),
            Reply::Integer(value) => begin(b':', value.to_string().as_bytes()),
            Reply::Nil => begin(b'$', b"-1"),
            Reply::Bulk(bytes) => {
                begin(b'$', bytes.len().to_string().as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Reply::Array(replies) => {
                begin(b'*', replies.len().to_string().as_bytes());
                replies.iter().for_each(|reply| reply.write(out));
            }
        }
    }
}
