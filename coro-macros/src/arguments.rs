//! The arguments on their way from the function into the `async` block in it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, Receiver, Token};

use crate::names;

/// Makes the inputs plain names, and gives the statements that turn these back into the patterns.
///
/// They are the statements of an `async fn`: all arguments are moved in, even those that the body
/// does not mention, in order, and are dropped as an `async fn` drops them.
pub(crate) fn rebind(inputs: &mut Punctuated<FnArg, Token![,]>) -> TokenStream {
    let rebind = |(index, input): (usize, &mut FnArg)| match input {
        FnArg::Receiver(receiver) => mention(receiver),
        FnArg::Typed(typed) => rebind_typed(index, typed),
    };
    inputs.iter_mut().enumerate().map(rebind).collect()
}

/// `self` cannot be bound anew: it is captured because it is mentioned.
fn mention(receiver: &Receiver) -> TokenStream {
    let cfgs = receiver.attrs.iter().filter(|attr| is_cfg(attr));
    let self_token = &receiver.self_token;
    quote!(#(#cfgs)* let _ = &#self_token;)
}

fn rebind_typed(index: usize, typed: &mut PatType) -> TokenStream {
    let (lints, attrs): (Vec<Attribute>, Vec<Attribute>) = typed.attrs.drain(..).partition(is_lint);
    let cfgs: Vec<&Attribute> = attrs.iter().filter(|attr| is_cfg(attr)).collect();
    let statements = match &mut *typed.pat {
        Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            mutability,
            ident,
            ..
        }) => {
            let mutability = mutability.take();
            quote!(#(#cfgs)* #(#lints)* let #mutability #ident = #ident;)
        }
        pattern => {
            let name = names::argument(index);
            let statements = quote! {
                #(#cfgs)* #[allow(unused_mut)] let mut #name = #name;
                #(#cfgs)* #(#lints)* #[allow(clippy::toplevel_ref_arg)] let #pattern = #name;
            };
            *pattern = Pat::Verbatim(quote!(#name));
            statements
        }
    };
    typed.attrs = attrs;
    statements
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg")
}

/// Lint levels are about the pattern, which moves into the body.
fn is_lint(attr: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|lint| attr.path().is_ident(lint))
}
