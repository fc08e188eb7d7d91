//! The HTTP parser of the example `sans_io_http` beside `httparse`, on requests whole and damaged.

use coro::Coroutine;
use coro::CoroutineState::{Complete, Yielded};
use httparse::{EMPTY_HEADER, Request, Status};
use proptest::prelude::*;

#[path = "../../examples/sans_io_http/parser.rs"]
mod parser;

use parser::{Head, Malformed, Step, requests};

/// The first request's head, or why there is none, if the bytes come in these pieces.
fn ours<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Head, Malformed> {
    let mut requests = std::pin::pin!(requests());
    let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut step = requests.as_mut().start();
    loop {
        step = match step {
            Yielded(Step::NeedBytes) => {
                let piece = pieces.next().unwrap_or_default();
                requests.as_mut().resume(piece.to_vec())
            }
            Yielded(Step::Head(head)) => return Ok(head),
            Yielded(other) => unreachable!("{other:?} before a head"),
            Complete(ended) => return Err(ended.err().unwrap_or(Malformed::Truncated)),
        };
    }
}

fn of_httparse(bytes: &[u8]) -> Option<(u8, Head)> {
    let mut headers = [EMPTY_HEADER; 200];
    let mut request = Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) | Err(_) => return None,
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let headers = request.headers.iter();
    let head = Head {
        method: request.method.unwrap().to_owned(),
        target: request.path.unwrap().to_owned(),
        headers: headers
            .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
            .collect(),
    };
    Some((request.version.unwrap(), head))
}

/// Whether the example refuses on purpose a request that `httparse` takes.
fn is_stricter(bytes: &[u8], version: u8, why: Malformed) -> bool {
    match why {
        Malformed::Version => version == 0,
        // A line feed without a carriage return, or bytes that are not ASCII.
        Malformed::LineEnd | Malformed::Header | Malformed::RequestLine => {
            let bare = |at: usize| {
                bytes[at] == b'\n' && at.checked_sub(1).map(|at| bytes[at]) != Some(b'\r')
            };
            !bytes.is_ascii() || (0..bytes.len()).any(bare)
        }
        // The limits, and what the headers say about the body.
        Malformed::LineTooLong | Malformed::TooManyHeaders => true,
        Malformed::Length | Malformed::TooLarge | Malformed::Encoding => true,
        Malformed::Truncated | Malformed::Chunk => false,
    }
}

fn header() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Host: localhost",
        "content-length: 3",
        "Content-Length: 3, 3",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "X-Empty:",
        "X-Tab:\ta\tb\t",
    ]);
    prop_oneof![
        3 => "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}: {0,2}[ -~]{0,20}",
        1 => known.prop_map(str::to_owned),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof!["GET|POST|OPTIONS", "[A-Z!#$%&'*+.^_`|~-]{1,8}"];
    let target = "[!-~]{1,30}";
    let version = prop_oneof![9 => Just("1.1"), 1 => Just("1.0"), 1 => Just("2.0")];
    let headers = prop::collection::vec(header(), 0..6);
    (method, target, version, headers).prop_map(|(method, target, version, headers)| {
        let mut lines = vec![format!("{method} {target} HTTP/{version}")];
        lines.extend(headers);
        lines.push("\r\n".to_owned());
        lines.join("\r\n").into_bytes()
    })
}

/// A place, and the byte to put there, to insert there or to remove.
type Damage = (prop::sample::Index, u8, u8);

fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for (at, byte, kind) in damage {
        let at = at.index(bytes.len());
        match kind % 3 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            _ if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(b" \r\n\t:;/,\0HTP01".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_read_the_same_of_any_request_or_the_example_is_stricter(
        request in request(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), byte(), any::<u8>()), 0..3),
    ) {
        let bytes = damaged(request, &damage);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        match (ours([&bytes[..]]), of_httparse(&bytes)) {
            (Ok(ours), Some((version, theirs))) => {
                prop_assert_eq!(version, 1, "{:?}", shown);
                prop_assert_eq!(ours, theirs, "{:?}", shown);
            }
            (Ok(ours), None) => prop_assert!(false, "only ours takes {shown:?}: {ours:?}"),
            (Err(why), Some((version, _))) => {
                prop_assert!(is_stricter(&bytes, version, why), "{why:?}: {shown:?}");
            }
            (Err(_), None) => {}
        }
    }

    #[test]
    fn the_pieces_in_which_a_request_comes_make_no_difference(
        request in request(),
        size in 1..40_usize,
    ) {
        prop_assert_eq!(ours(request.chunks(size)), ours([&request[..]]));
    }
}

#[test]
fn both_take_what_clients_send() {
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\n\r\nPOST /a?b=c%20d HTTP/1.1\r\ncontent-length: 3\r\nAccept: */*\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nX:\t padded \t\r\nY:\r\n\r\n",
    ] {
        let theirs = of_httparse(request.as_bytes()).expect(request);
        assert_eq!(ours([request.as_bytes()]), Ok(theirs.1), "{request}");
    }
}

#[test]
fn both_read_the_same_size_of_a_chunk() {
    // `httparse` also takes an empty line, as a size of zero.
    let ask = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    for line in [
        "0",
        "a",
        "FF",
        "001f",
        "5;name=value",
        "5 ;x",
        "-1",
        "g",
        "0x5",
        " 5",
        "+5",
    ] {
        let line = format!("{line}\r\n");
        let theirs = match httparse::parse_chunk_size(line.as_bytes()) {
            Ok(Status::Complete((_, size))) => Some(size),
            _ => None,
        };
        // As many bytes as the largest of them, and their end.
        let body = "x".repeat(usize::try_from(theirs.unwrap_or(0)).unwrap());
        let rest = match theirs {
            Some(0) => "\r\n".to_owned(),
            _ => format!("{body}\r\n0\r\n\r\n"),
        };
        let bytes = [&ask[..], line.as_bytes(), rest.as_bytes()].concat();
        let (mut requests, mut received) = (Box::pin(requests()), 0);
        let mut input = [bytes].into_iter();
        let mut step = requests.as_mut().start();
        let whole = loop {
            match step {
                Yielded(Step::Body(part)) => received += part.len() as u64,
                Yielded(Step::End) => break true,
                Yielded(_) => {}
                Complete(_) => break false,
            }
            step = requests.as_mut().resume(input.next().unwrap_or_default());
        };
        assert_eq!(whole.then_some(received), theirs, "{line:?}");
    }
}
