//! The server's side of one connection, without I/O: takes bytes, returns answers.

use std::pin::Pin;

use coro::CoroutineState::{Complete, Yielded};
use coro::{Coroutine, CoroutineState};

use crate::parser::{Head, Malformed, Step, requests};

type Requests = dyn Coroutine<Yield = Step, Resume = Vec<u8>, Return = Result<(), Malformed>>;

/// A parser, with the answers to the requests it has parsed.
pub(crate) struct Connection {
    requests: Pin<Box<Requests>>,
    head: Head,
    body: Vec<u8>,
    answers: Vec<u8>,
    result: Option<Result<(), Malformed>>,
}

impl Connection {
    pub(crate) fn new() -> Self {
        let mut connection = Connection {
            requests: Box::pin(requests()),
            head: Head::default(),
            body: Vec::new(),
            answers: Vec::new(),
            result: None,
        };
        let first = connection.requests.as_mut().start();
        connection.advance(first);
        connection
    }

    /// Takes bytes from the client; an empty slice if the client will send no more.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        if self.result.is_none() {
            let step = self.requests.as_mut().resume(bytes.to_vec());
            self.advance(step);
        }
    }

    /// Takes the answers that are ready to be sent.
    pub(crate) fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// The parser's result, if it has ended.
    pub(crate) fn result(&self) -> Option<Result<(), Malformed>> {
        self.result
    }

    /// Runs the parser until it needs bytes.
    fn advance(&mut self, mut step: CoroutineState<Step, Result<(), Malformed>>) {
        loop {
            match step {
                Yielded(Step::NeedBytes) => return,
                Yielded(Step::Head(head)) => self.head = head,
                Yielded(Step::Body(part)) => self.body.extend(part),
                Yielded(Step::End) => self.answer(),
                Complete(result) => {
                    if let Err(error) = result {
                        self.say("400 Bad Request", &error.to_string());
                    }
                    self.result = Some(result);
                    return;
                }
            }
            step = self.requests.as_mut().resume(Vec::new());
        }
    }

    fn answer(&mut self) {
        let Head {
            method,
            target,
            headers,
        } = std::mem::take(&mut self.head);
        let body = std::mem::take(&mut self.body);
        let text = String::from_utf8_lossy(&body);
        let text = format!("{method} {target}, {} headers, {text:?}", headers.len());
        self.say("200 OK", &text);
    }

    fn say(&mut self, status: &str, text: &str) {
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        self.answers.extend(answer.into_bytes());
    }
}
