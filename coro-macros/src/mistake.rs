//! The mistakes that the attributes report, as errors of the compiler.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::tokens;

pub(crate) type Result<T> = std::result::Result<T, Mistake>;

/// One or more messages, each with its place.
#[derive(Debug)]
pub(crate) struct Mistake {
    first: Message,
    others: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    begin: Span,
    end: Span,
    text: String,
}

impl Mistake {
    pub(crate) fn new(place: Span, text: impl Into<String>) -> Mistake {
        Mistake::from(Message {
            begin: place,
            end: place,
            text: text.into(),
        })
    }

    /// A mistake that consists of these tokens.
    pub(crate) fn of(tokens: impl ToTokens, text: impl Into<String>) -> Mistake {
        let mut trees = tokens.into_token_stream().into_iter();
        let begin = trees.next().map_or_else(Span::call_site, |it| it.span());
        Mistake::from(Message {
            begin,
            end: trees.last().map_or(begin, |it| it.span()),
            text: text.into(),
        })
    }

    /// The place of the first message.
    pub(crate) fn span(&self) -> Span {
        self.first.begin
    }

    /// The text of the first message.
    pub(crate) fn text(&self) -> &str {
        &self.first.text
    }

    pub(crate) fn combine(&mut self, other: Mistake) {
        self.others.push(other.first);
        self.others.extend(other.others);
    }

    pub(crate) fn into_compile_error(self) -> TokenStream {
        let messages = std::iter::once(self.first).chain(self.others);
        messages.flat_map(Message::into_trees).collect()
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        1 + self.others.len()
    }
}

impl From<Message> for Mistake {
    fn from(first: Message) -> Mistake {
        Mistake {
            first,
            others: Vec::new(),
        }
    }
}

impl Message {
    /// `::core::compile_error! { "text" }`. The compiler points at all from the first of these tokens to
    /// the last.
    fn into_trees(self) -> [TokenTree; 8] {
        let Message { begin, end, text } = self;
        let punct = |letter, spacing| {
            let mut punct = Punct::new(letter, spacing);
            punct.set_span(begin);
            TokenTree::from(punct)
        };
        let word = |word| TokenTree::from(Ident::new(word, begin));
        let mut literal = Literal::string(&text);
        literal.set_span(end);
        let inside = TokenStream::from(TokenTree::from(literal));
        let mut braces = Group::new(Delimiter::Brace, inside);
        braces.set_span(end);
        [
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            word("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            word("compile_error"),
            punct('!', Spacing::Alone),
            braces.into(),
        ]
    }
}

/// Adds `mistake` to the mistakes that are already reported.
pub(crate) fn merge(mistakes: &mut Option<Mistake>, mistake: impl Into<Option<Mistake>>) {
    match (mistakes, mistake.into()) {
        (Some(mistakes), Some(mistake)) => mistakes.combine(mistake),
        (mistakes, Some(mistake)) => *mistakes = Some(mistake),
        (_, None) => {}
    }
}

/// The place of the next of these tokens, or of the attribute if there is none.
pub(crate) fn place(trees: &[TokenTree]) -> Span {
    trees.first().map_or_else(Span::call_site, TokenTree::span)
}

/// The place of all these tokens, or of the first if the compiler cannot join them.
pub(crate) fn whole(tokens: &TokenStream) -> Span {
    let trees = tokens::trees(tokens.clone());
    let first = place(&trees);
    let last = trees.last().map(TokenTree::span);
    last.and_then(|last| first.join(last)).unwrap_or(first)
}
