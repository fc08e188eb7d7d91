//! The events of JSON, from its tokens.

use coro::{yield_, yield_from};

use crate::lexer::{Mistake, Step, Text, Token, token};

/// The parts of a text, in order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Event {
    BeginObject,
    Key(String),
    EndObject,
    BeginArray,
    EndArray,
    String(String),
    /// As in the text.
    Number(String),
    Bool(bool),
    Null,
}

/// The events of a whole text.
#[coro::coroutine(yields = Step, resumes = String)]
pub(crate) fn parse() -> Result<(), Mistake> {
    let mut text = Text::default();
    let first = yield_from!(token(&mut text))?;
    yield_from!(value(&mut text, first))?;
    match yield_from!(token(&mut text))? {
        Token::End => Ok(()),
        _ => text.mistake("more after the end"),
    }
}

/// The events of a value whose first token has been read. It is boxed, since values contain values.
#[coro::coroutine(yields = Step, resumes = String, boxed)]
fn value(text: &mut Text, first: Token) -> Result<(), Mistake> {
    let event = match first {
        Token::Mark('{') => return yield_from!(object(text)),
        Token::Mark('[') => return yield_from!(array(text)),
        Token::Mark(_) => return text.mistake("a value does not begin like this"),
        Token::End => return text.mistake("a value is missing at the end"),
        Token::String(string) => Event::String(string),
        Token::Number(number) => Event::Number(number),
        Token::Bool(bool) => Event::Bool(bool),
        Token::Null => Event::Null,
    };
    yield_!(Step::Event(event));
    Ok(())
}

#[coro::coroutine(yields = Step, resumes = String)]
fn object(text: &mut Text) -> Result<(), Mistake> {
    yield_!(Step::Event(Event::BeginObject));
    let mut next = yield_from!(token(text))?;
    if next != Token::Mark('}') {
        loop {
            let Token::String(key) = next else {
                return text.mistake("a key is missing");
            };
            yield_!(Step::Event(Event::Key(key)));
            if yield_from!(token(text))? != Token::Mark(':') {
                return text.mistake("a colon is missing");
            }
            let first = yield_from!(token(text))?;
            yield_from!(value(text, first))?;
            match yield_from!(token(text))? {
                Token::Mark(',') => next = yield_from!(token(text))?,
                Token::Mark('}') => break,
                _ => return text.mistake("an object goes on without a comma"),
            }
        }
    }
    yield_!(Step::Event(Event::EndObject));
    Ok(())
}

#[coro::coroutine(yields = Step, resumes = String)]
fn array(text: &mut Text) -> Result<(), Mistake> {
    yield_!(Step::Event(Event::BeginArray));
    let mut next = yield_from!(token(text))?;
    if next != Token::Mark(']') {
        loop {
            yield_from!(value(text, next))?;
            match yield_from!(token(text))? {
                Token::Mark(',') => next = yield_from!(token(text))?,
                Token::Mark(']') => break,
                _ => return text.mistake("an array goes on without a comma"),
            }
        }
    }
    yield_!(Step::Event(Event::EndArray));
    Ok(())
}
