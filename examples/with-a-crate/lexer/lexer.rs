//! The tokens of JSON, from text that comes in pieces.

use std::error::Error;
use std::fmt;

use coro::{yield_, yield_from};

use crate::parser::Event;

/// The values that both coroutines yield to their driver.
pub(crate) enum Step {
    /// The text is used up. Resume with more of it, or with an empty string at its end.
    NeedText,
    /// The parser has recognised an event.
    Event(Event),
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Token {
    /// One of `{}[]:,`.
    Mark(char),
    String(String),
    /// As in the text.
    Number(String),
    Bool(bool),
    Null,
    End,
}

/// A mistake in a text, with the position of its character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mistake {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.what, self.at)
    }
}

impl Error for Mistake {}

/// The piece of text that is being read.
#[derive(Default)]
pub(crate) struct Text {
    piece: String,
    used: usize,
    at: usize,
    ended: bool,
}

impl Text {
    pub(crate) fn mistake<T>(&self, what: &'static str) -> Result<T, Mistake> {
        Err(Mistake { at: self.at, what })
    }

    fn skip(&mut self, c: char) {
        self.used += c.len_utf8();
        self.at += 1;
    }
}

/// The next character without consuming it; `None` at the end of the text.
#[coro::coroutine(yields = Step, resumes = String)]
fn peek(text: &mut Text) -> Option<char> {
    loop {
        if let Some(c) = text.piece[text.used..].chars().next() {
            return Some(c);
        }
        if text.ended {
            return None;
        }
        text.piece = yield_!(Step::NeedText);
        text.used = 0;
        text.ended = text.piece.is_empty();
    }
}

/// The next character.
#[coro::coroutine(yields = Step, resumes = String)]
fn next(text: &mut Text) -> Option<char> {
    let c = yield_from!(peek(text));
    c.inspect(|&c| text.skip(c))
}

#[coro::coroutine(yields = Step, resumes = String)]
pub(crate) fn token(text: &mut Text) -> Result<Token, Mistake> {
    loop {
        return match yield_from!(next(text)) {
            Some(' ' | '\t' | '\r' | '\n') => continue,
            Some(mark @ ('{' | '}' | '[' | ']' | ':' | ',')) => Ok(Token::Mark(mark)),
            Some('"') => yield_from!(string(text)).map(Token::String),
            Some(first @ ('-' | '0'..='9')) => yield_from!(number(text, first)).map(Token::Number),
            Some('t') => yield_from!(word(text, "rue", Token::Bool(true))),
            Some('f') => yield_from!(word(text, "alse", Token::Bool(false))),
            Some('n') => yield_from!(word(text, "ull", Token::Null)),
            Some(_) => text.mistake("no token begins like this"),
            None => Ok(Token::End),
        };
    }
}

#[coro::coroutine(yields = Step, resumes = String)]
fn word(text: &mut Text, rest: &str, token: Token) -> Result<Token, Mistake> {
    for expected in rest.chars() {
        if yield_from!(next(text)) != Some(expected) {
            return text.mistake("there is no such word");
        }
    }
    Ok(token)
}

/// A number whose first character has been read.
#[coro::coroutine(yields = Step, resumes = String)]
fn number(text: &mut Text, first: char) -> Result<String, Mistake> {
    let mut spelt = String::from(first);
    if first != '0' {
        let digits = yield_from!(digits(text, &mut spelt));
        let zero_first = first == '-' && spelt.starts_with("-0") && digits > 1;
        if zero_first || first == '-' && digits == 0 {
            return text.mistake("a number has no such beginning");
        }
    }
    if yield_from!(peek(text)) == Some('.') {
        text.skip('.');
        spelt.push('.');
        if yield_from!(digits(text, &mut spelt)) == 0 {
            return text.mistake("a point without digits after it");
        }
    }
    if let Some(e @ ('e' | 'E')) = yield_from!(peek(text)) {
        text.skip(e);
        spelt.push(e);
        if let Some(sign @ ('+' | '-')) = yield_from!(peek(text)) {
            text.skip(sign);
            spelt.push(sign);
        }
        if yield_from!(digits(text, &mut spelt)) == 0 {
            return text.mistake("an exponent without digits");
        }
    }
    Ok(spelt)
}

/// Reads digits. Returns how many.
#[coro::coroutine(yields = Step, resumes = String)]
fn digits(text: &mut Text, spelt: &mut String) -> usize {
    let mut len = 0;
    while let Some(digit @ '0'..='9') = yield_from!(peek(text)) {
        text.skip(digit);
        spelt.push(digit);
        len += 1;
    }
    len
}

/// A string whose first quotation mark has been read.
#[coro::coroutine(yields = Step, resumes = String)]
fn string(text: &mut Text) -> Result<String, Mistake> {
    let mut string = String::new();
    loop {
        match yield_from!(next(text)) {
            Some('"') => return Ok(string),
            Some('\\') => string.push(yield_from!(escaped(text))?),
            Some('\0'..='\x1F') => return text.mistake("a control character in a string"),
            Some(c) => string.push(c),
            None => return text.mistake("a string without an end"),
        }
    }
}

/// A character whose backslash has been read.
#[coro::coroutine(yields = Step, resumes = String)]
fn escaped(text: &mut Text) -> Result<char, Mistake> {
    Ok(match yield_from!(next(text)) {
        Some(c @ ('"' | '\\' | '/')) => c,
        Some('b') => '\x08',
        Some('f') => '\x0C',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return yield_from!(unicode(text)),
        _ => return text.mistake("there is no such escape"),
    })
}

/// A character whose `\u` has been read: one unit of UTF-16, or two.
#[coro::coroutine(yields = Step, resumes = String)]
fn unicode(text: &mut Text) -> Result<char, Mistake> {
    let mut units = vec![yield_from!(unit(text))?];
    if (0xD800..0xDC00).contains(&units[0]) {
        for expected in ['\\', 'u'] {
            if yield_from!(next(text)) != Some(expected) {
                return text.mistake("half a surrogate pair");
            }
        }
        units.push(yield_from!(unit(text))?);
    }
    match char::decode_utf16(units).next() {
        Some(Ok(c)) => Ok(c),
        _ => text.mistake("half a surrogate pair"),
    }
}

#[coro::coroutine(yields = Step, resumes = String)]
fn unit(text: &mut Text) -> Result<u16, Mistake> {
    let mut unit = 0;
    for _ in 0..4 {
        match yield_from!(next(text)).and_then(|c| c.to_digit(16)) {
            Some(digit) => unit = unit * 16 + digit as u16,
            None => return text.mistake("an escape needs four hexadecimal digits"),
        }
    }
    Ok(unit)
}
