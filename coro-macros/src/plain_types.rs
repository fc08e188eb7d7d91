//! Types whose text shows all lifetimes in them, so that a closure's parameter may have such a type.
//!
//! In the type of a closure's parameter an elided lifetime means any lifetime. In the return type of
//! the function it means one that the arguments have. A path can hide a lifetime: `Words` may be
//! `Words<'_>`. So only types made of known names count as plain.

use proc_macro2::{TokenStream, TokenTree};

use crate::tokens::{Cursor, is_punct};

/// The names that hide no lifetime, with their paths in the prelude or without.
const KNOWN: [&str; 29] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize", "Arc", "BTreeMap", "Box", "Duration", "HashMap", "HashSet",
    "Instant", "Option", "Rc", "Result", "String", "Vec",
];

/// Whether the types name every lifetime that they have. `params` are the types that are parameters.
pub(crate) fn are_plain(types: &TokenStream, params: &[String]) -> bool {
    let is_known = |word: &str| KNOWN.contains(&word) || params.iter().any(|param| param == word);
    is_plain(types.clone(), &is_known)
}

fn is_plain(tokens: TokenStream, is_known: &impl Fn(&str) -> bool) -> bool {
    let mut cursor = Cursor::new(tokens);
    while let Some(tree) = cursor.tree(0) {
        let plain = match tree {
            TokenTree::Group(group) => is_plain(group.stream(), is_known),
            TokenTree::Literal(_) => true,
            TokenTree::Ident(word) if is_after_apostrophe(&cursor) => word != "_",
            TokenTree::Ident(word) => is_known(&word.to_string()),
            TokenTree::Punct(punct) => match punct.as_char() {
                '&' => cursor.is_punct(1, '\''),
                '\'' | '<' | '>' | ',' | ';' => true,
                _ => false,
            },
        };
        if !plain {
            return false;
        }
        cursor.advance(1);
    }
    true
}

fn is_after_apostrophe(cursor: &Cursor) -> bool {
    cursor.before(1).is_some_and(|tree| is_punct(tree, '\''))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_types_of_known_names_with_named_lifetimes_are_plain() {
        let params = ["T".to_owned()];
        for plain in [
            quote!(u32),
            quote!(()),
            quote!((u8, Option<String>)),
            quote!(&'a str),
            quote!(&'static [Vec<T>]),
            quote!([u8; 4]),
            quote!(Result<T, String>),
        ] {
            assert!(are_plain(&plain, &params), "{plain}");
        }
        for other in [
            quote!(&str),
            quote!(&'_ str),
            quote!(Words),
            quote!(Vec<&u8>),
            quote!(Self),
            quote!(impl Debug),
            quote!(Box<dyn Error>),
            quote!(fn(&u8) -> u8),
            quote!(<T as A>::B),
            quote!(m!(u8)),
            quote!(_),
        ] {
            assert!(!are_plain(&other, &params), "{other}");
        }
    }
}
