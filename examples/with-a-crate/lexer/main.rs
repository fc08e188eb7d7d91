//! A tokenizer as a coroutine that a parser delegates to, over text that comes in pieces.
//!
//! ```text
//! $ cargo run -p coro-examples --example lexer
//! countries.json: 187 events, as serde_json reads it: true
//! the same in pieces of 1 to 50 characters: true
//! cut off anywhere it is refused: true
//! "[1, 2,, 3]": a value does not begin like this at character 7
//! "{\"a\": tru}": there is no such word at character 10
//! "\"\\ud83d!\"": half a surrogate pair at character 8
//! a thousand odd texts, accepted or refused as serde_json does: true
//! an array in an array, 100000 deep: 200000 events
//! ```
//!
//! The parser gets a token by `yield_from!`. The tokenizer gets text by `yield_!`, past the parser,
//! from their driver. Neither knows where the text ends or how it is cut. Neither could be written
//! as an iterator over the other, because both wait in the middle of their work.

mod lexer;
mod parser;

use std::collections::HashSet;
use std::pin::pin;

use coro::Coroutine;
use coro::CoroutineState::{Complete, Yielded};
use serde_json::{Map, Number, Value};

use lexer::{Mistake, Step};
use parser::{Event, parse};

const COUNTRIES: &str = include_str!("countries.json");

/// The events of a text that comes in non-empty pieces.
fn events<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Result<Vec<Event>, Mistake> {
    let mut pieces = pieces.into_iter();
    let mut events = Vec::new();
    let mut parse = pin!(parse());
    let mut step = parse.as_mut().start();
    loop {
        let text = match step {
            Yielded(Step::NeedText) => pieces.next().unwrap_or_default().to_owned(),
            Yielded(Step::Event(event)) => {
                events.push(event);
                String::new()
            }
            Complete(result) => return result.map(|()| events),
        };
        step = parse.as_mut().resume(text);
    }
}

/// A text in pieces of `len` characters.
fn pieces(text: &str, len: usize) -> Vec<&str> {
    let starts = text.char_indices().map(|(at, _)| at).step_by(len);
    let ends = text
        .char_indices()
        .map(|(at, _)| at)
        .step_by(len)
        .skip(1)
        .chain([text.len()]);
    starts
        .zip(ends)
        .map(|(start, end)| &text[start..end])
        .collect()
}

/// The value that the events describe.
fn built(events: Vec<Event>) -> Option<Value> {
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    for event in events {
        let mut done = match event {
            Event::BeginObject => {
                open.push((Value::Object(Map::new()), None));
                continue;
            }
            Event::BeginArray => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::Key(name) => {
                open.last_mut()?.1 = Some(name);
                continue;
            }
            Event::EndObject | Event::EndArray => open.pop()?.0,
            Event::String(string) => Value::String(string),
            Event::Number(number) => Value::Number(number.parse::<Number>().ok()?),
            Event::Bool(bool) => Value::Bool(bool),
            Event::Null => Value::Null,
        };
        match open.last_mut() {
            None => return Some(done),
            Some((Value::Array(items), _)) => items.push(done),
            Some((Value::Object(fields), key)) => _ = fields.insert(key.take()?, done.take()),
            Some(_) => return None,
        }
    }
    None
}

/// Whether this parser and serde_json read a text alike.
fn agrees(text: &str) -> bool {
    match (events([text]), serde_json::from_str::<Value>(text)) {
        (Ok(events), Ok(value)) => built(events) == Some(value),
        (mine, theirs) => mine.is_err() && theirs.is_err(),
    }
}

/// Texts made of JSON's significant characters, the same in every run.
fn odd_texts() -> impl Iterator<Item = String> {
    let parts = [
        "[", "]", "{", "}", ",", ":", "\"", "\"a\"", "0", "-", "12", ".", "e", "E+", "true", "nul",
        "null", " ", "\n", "\\", "u00e9", "\u{1}", "é", "[1,", "{\"k\":", "[]", "1.5e3",
    ];
    let mut state = 88_172_645_463_325_252_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let len = 1 + state % 6;
        let part = |n| parts[(state >> (8 * n)) as usize % parts.len()];
        (1..=len).map(part).collect()
    })
}

fn main() {
    let expected = events([COUNTRIES]);
    let count = expected.as_ref().map_or(0, Vec::len);
    println!(
        "countries.json: {count} events, as serde_json reads it: {}",
        agrees(COUNTRIES)
    );

    let same = (1..=50).all(|len| events(pieces(COUNTRIES, len)) == expected);
    println!("the same in pieces of 1 to 50 characters: {same}");

    let text = COUNTRIES.trim_end();
    let refused = text
        .char_indices()
        .all(|(at, _)| events([&text[..at]]).is_err());
    println!("cut off anywhere it is refused: {refused}");

    for text in ["[1, 2,, 3]", r#"{"a": tru}"#, r#""\ud83d!""#] {
        let mistake = events([text]).expect_err("each has a mistake");
        println!("{text:?}: {mistake}");
    }

    let texts: HashSet<String> = odd_texts().take(1000).collect();
    let agreed = texts.iter().all(|text| agrees(text));
    println!("a thousand odd texts, accepted or refused as serde_json does: {agreed}");

    let depth = 100_000;
    let deep = "[".repeat(depth) + &"]".repeat(depth);
    let count = events([deep.as_str()]).map_or(0, |events| events.len());
    println!("an array in an array, {depth} deep: {count} events");
}
