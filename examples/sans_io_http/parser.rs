//! HTTP/1.1 requests, parsed by a coroutine that does no I/O.

use std::error::Error;
use std::fmt;

use coro::{yield_, yield_from};

const LINE_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 100;
const BODY_MAX: u64 = 1024 * 1024;

/// The values that the parser yields to its driver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// The bytes are used up. Resume with more of them, or with none at the end.
    NeedBytes,
    /// It has read a request up to its body.
    Head(Head),
    /// It has read some of the body.
    Body(Vec<u8>),
    /// It has read all of the request.
    End,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Why some bytes are no valid request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Malformed {
    Truncated,
    LineTooLong,
    LineEnd,
    RequestLine,
    Version,
    Header,
    TooManyHeaders,
    Length,
    TooLarge,
    Encoding,
    Chunk,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Truncated => "the request is cut short",
            Malformed::LineTooLong => "a line is too long",
            Malformed::LineEnd => "a line ends without a carriage return, or is not ASCII",
            Malformed::RequestLine => "the request line is not `METHOD target HTTP/1.1`",
            Malformed::Version => "the version is not HTTP/1.1",
            Malformed::Header => "a header is not `name: value`",
            Malformed::TooManyHeaders => "there are too many headers",
            Malformed::Length => "the content-length is not one number",
            Malformed::TooLarge => "the body is too large",
            Malformed::Encoding => "the transfer-encoding is not chunked",
            Malformed::Chunk => "a chunk is malformed",
        })
    }
}

impl Error for Malformed {}

/// The received bytes, with the number of those already used.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    used: usize,
    /// How many bytes of the rest are known to hold no line end. They are not searched again.
    searched: usize,
}

impl Received {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// At most `max` of the unused bytes.
    fn take(&mut self, max: u64) -> Vec<u8> {
        let len = self
            .rest()
            .len()
            .min(usize::try_from(max).unwrap_or(usize::MAX));
        let taken = self.rest()[..len].to_vec();
        self.used += len;
        taken
    }

    /// A line without its line end, as soon as that has been received.
    fn take_line(&mut self) -> Option<Result<String, Malformed>> {
        let rest = self.rest();
        let end = rest.len().min(LINE_MAX);
        let new = &rest[self.searched.min(end)..end];
        let Some(len) = new.iter().position(|&byte| byte == b'\n') else {
            self.searched = end;
            return (end == LINE_MAX).then_some(Err(Malformed::LineTooLong));
        };
        let len = self.searched + len;
        let line = rest[..len]
            .strip_suffix(b"\r")
            .filter(|line| line.is_ascii());
        let line = line.map(|line| String::from_utf8_lossy(line).into_owned());
        self.used += len + 1;
        self.searched = 0;
        Some(line.ok_or(Malformed::LineEnd))
    }
}

/// All requests of a connection, one after another.
#[coro::coroutine(yields = Step, resumes = Vec<u8>)]
pub(crate) fn requests() -> Result<(), Malformed> {
    let received = &mut Received::default();
    while let Some(first) = yield_from!(line(received, false))? {
        if first.is_empty() {
            continue; // RFC 9112: servers ignore an empty line before a request
        }
        let mut head = request_line(&first)?;
        yield_from!(headers(received, &mut head.headers))?;
        let framing = framing(&head)?;
        yield_!(Step::Head(head));
        match framing {
            Framing::Length(len) => yield_from!(body(received, len))?,
            Framing::Chunked => yield_from!(chunks(received))?,
        }
        yield_!(Step::End);
    }
    Ok(())
}

/// A line; `None` if the input ends before one. Within a request or a line, that end is an error.
#[coro::coroutine(yields = Step, resumes = Vec<u8>)]
fn line(received: &mut Received, within: bool) -> Result<Option<String>, Malformed> {
    loop {
        if let Some(line) = received.take_line() {
            return line.map(Some);
        }
        let bytes = yield_!(Step::NeedBytes);
        match bytes.is_empty() {
            true if within || !received.rest().is_empty() => return Err(Malformed::Truncated),
            true => return Ok(None),
            false => received.add(&bytes),
        }
    }
}

#[coro::coroutine(yields = Step, resumes = Vec<u8>)]
fn headers(received: &mut Received, headers: &mut Vec<(String, String)>) -> Result<(), Malformed> {
    loop {
        match yield_from!(line(received, true))? {
            Some(line) if !line.is_empty() => headers.push(header(&line)?),
            _ => return Ok(()),
        }
        if headers.len() > HEADERS_MAX {
            return Err(Malformed::TooManyHeaders);
        }
    }
}

#[coro::coroutine(yields = Step, resumes = Vec<u8>)]
fn body(received: &mut Received, mut len: u64) -> Result<(), Malformed> {
    while len > 0 {
        if received.rest().is_empty() {
            let bytes = yield_!(Step::NeedBytes);
            if bytes.is_empty() {
                return Err(Malformed::Truncated);
            }
            received.add(&bytes);
        }
        let part = received.take(len);
        len -= part.len() as u64;
        yield_!(Step::Body(part));
    }
    Ok(())
}

#[coro::coroutine(yields = Step, resumes = Vec<u8>)]
fn chunks(received: &mut Received) -> Result<(), Malformed> {
    let mut total = 0_u64;
    loop {
        let size = yield_from!(line(received, true))?.unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim_end();
        let len = number(size, 16).ok_or(Malformed::Chunk)?;
        if len == 0 {
            return yield_from!(headers(received, &mut Vec::new())); // trailers
        }
        total = len.saturating_add(total);
        if total > BODY_MAX {
            return Err(Malformed::TooLarge);
        }
        yield_from!(body(received, len))?;
        match yield_from!(line(received, true))?.as_deref() {
            Some("") => {}
            _ => return Err(Malformed::Chunk),
        }
    }
}

enum Framing {
    Length(u64),
    Chunked,
}

fn framing(head: &Head) -> Result<Framing, Malformed> {
    let all = |wanted| {
        let of_that_name = head.headers.iter().filter(move |(name, _)| name == wanted);
        of_that_name
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    match (
        all("transfer-encoding")[..].as_ref(),
        all("content-length")[..].as_ref(),
    ) {
        ([], []) => Ok(Framing::Length(0)),
        ([], [len]) => match number(len, 10).ok_or(Malformed::Length)? {
            len if len > BODY_MAX => Err(Malformed::TooLarge),
            len => Ok(Framing::Length(len)),
        },
        ([], _) | (_, [_, ..]) => Err(Malformed::Length), // ambiguous lengths smuggle requests
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (_, []) => Err(Malformed::Encoding),
    }
}

fn request_line(line: &str) -> Result<Head, Malformed> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(Malformed::RequestLine);
    };
    if !is_token(method) || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Malformed::RequestLine);
    }
    match (target.is_empty(), version) {
        (true, _) => Err(Malformed::RequestLine),
        (_, "HTTP/1.1") => Ok(Head {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
        }),
        _ => Err(Malformed::Version),
    }
}

fn header(line: &str) -> Result<(String, String), Malformed> {
    let (name, value) = line.split_once(':').ok_or(Malformed::Header)?;
    let printable = |byte| matches!(byte, b'\t' | b' '..=b'~');
    match is_token(name) && value.bytes().all(printable) {
        true => Ok((name.to_ascii_lowercase(), value.trim().to_owned())),
        false => Err(Malformed::Header),
    }
}

fn is_token(text: &str) -> bool {
    let symbol = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

fn number(digits: &str, radix: u32) -> Option<u64> {
    let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    plain
        .then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
}
