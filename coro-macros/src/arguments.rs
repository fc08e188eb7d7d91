//! Moves the function's arguments into the `async` block that holds its body.

use proc_macro2::{Delimiter, TokenStream};
use quote::quote;

use crate::attribute::Attribute;
use crate::input::{Input, InputKind, OtherInput, OwnInput, Pattern};
use crate::names;
use crate::tokens::{self, Cursor};

/// Turns the inputs into plain names, and returns statements that bind the original patterns.
///
/// The statements do the same as an `async fn` does. They move all arguments into the block, in
/// order, even an argument that the body does not mention. The arguments are dropped in the order
/// in which an `async fn` drops them.
pub(crate) fn rebind(inputs: &mut [Input]) -> TokenStream {
    let mut statements = TokenStream::new();
    for (index, Input { attrs, kind }) in inputs.iter_mut().enumerate() {
        statements.extend(match kind {
            InputKind::Own(own) => mention(attrs, own),
            InputKind::Other(other) => rebind_other(index, attrs, other),
        });
    }
    statements
}

/// A statement that captures `self` by mentioning it: `self` cannot be bound anew.
fn mention(attrs: &[Attribute], own: &OwnInput) -> TokenStream {
    let cfgs = Sorted::of(attrs).cfgs;
    let self_token = &own.self_token;
    quote!(#(#[#cfgs])* let _ = &#self_token;)
}

fn rebind_other(index: usize, attrs: &mut Vec<Attribute>, input: &mut OtherInput) -> TokenStream {
    if !input.is_whole() {
        return TokenStream::new();
    }
    let sorted = Sorted::of(attrs);
    *attrs = sorted.of_argument();
    let Sorted { lints, cfgs, .. } = sorted;
    match &mut input.pattern {
        Pattern::Name(mutability, name) => {
            let mutability = mutability.take();
            quote! {
                #(#[#cfgs])* #[allow(clippy::shadow_same)] #(#[#lints])*
                let #mutability #name = #name;
            }
        }
        Pattern::Other(pattern) => {
            let name = names::argument(index);
            let statements = quote! {
                #(#[#cfgs])* #[allow(unused_mut, clippy::shadow_same)] let mut #name = #name;
                #(#[#cfgs])* #(#[#lints])* #[allow(clippy::toplevel_ref_arg)] let #pattern = #name;
            };
            input.pattern = Pattern::Name(None, name);
            statements
        }
    }
}

/// Whether the attribute may remove its argument: it is a `cfg`, or a `cfg_attr` with a `cfg`.
pub(crate) fn is_conditional(attr: &Attribute) -> bool {
    let mut sorted = Sorted::default();
    sorted.add(attr.inside());
    !sorted.cfgs.is_empty()
}

/// The attributes of an argument without their brackets, sorted by the place they belong to.
#[derive(Default)]
struct Sorted {
    /// Lint levels concern the pattern, which moves into the body.
    lints: Vec<TokenStream>,
    /// Conditions hold for both the argument and its statement.
    cfgs: Vec<TokenStream>,
    rest: Vec<TokenStream>,
}

impl Sorted {
    fn of(attrs: &[Attribute]) -> Sorted {
        let mut sorted = Sorted::default();
        for attr in attrs {
            sorted.add(attr.inside());
        }
        sorted
    }

    fn add(&mut self, attr: TokenStream) {
        let cursor = Cursor::new(attr.clone());
        let is_one_of = |words: &[&str]| words.iter().any(|word| cursor.is_word(0, word));
        if let Some(group) = cursor.group(1, Delimiter::Parenthesis)
            && is_one_of(&["cfg_attr"])
        {
            self.add_each(group.stream());
        } else if is_one_of(&["allow", "expect", "warn", "deny", "forbid"]) {
            self.lints.push(attr);
        } else if is_one_of(&["cfg"]) {
            self.cfgs.push(attr);
        } else {
            self.rest.push(attr);
        }
    }

    /// Adds each attribute in a `cfg_attr`, under its condition.
    fn add_each(&mut self, arguments: TokenStream) {
        let mut parts = tokens::split(arguments, ',').into_iter();
        let condition = parts.next();
        let mut inner = Sorted::default();
        parts
            .filter(|part| !part.is_empty())
            .for_each(|part| inner.add(part));
        let again = |attr| quote!(cfg_attr(#condition, #attr));
        self.lints.extend(inner.lints.into_iter().map(again));
        self.cfgs.extend(inner.cfgs.into_iter().map(again));
        self.rest.extend(inner.rest.into_iter().map(again));
    }

    /// The attributes that stay on the argument.
    fn of_argument(&self) -> Vec<Attribute> {
        let all = self.cfgs.iter().chain(&self.rest);
        all.cloned().map(Attribute::new).collect()
    }
}
