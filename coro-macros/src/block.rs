//! The macro `coro::generator!`: a generator written as a block, in the midst of a function.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::args::{self, Args};
use crate::body::{self, Context};
use crate::braces::Braces;
use crate::coroutine;
use crate::fallback;
use crate::misplaced;
use crate::mistake::{self, Mistake, Result, merge};
use crate::names;
use crate::plain_types;
use crate::tokens::{self, is_punct, is_word};
use crate::types;

const USAGE: &str = "`coro::generator!` takes arguments, then a block: \
    `coro::generator!(yields = T, { .. })`, or `async { .. }`, `move { .. }`, `async move { .. }`";

const CANNOT_WAIT: &str = "this generator cannot wait, since its block is not `async`: \
    write `coro::generator!(yields = T, async { .. })`";

/// Expands `coro::generator!(args, async move { .. })`.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens::trees(tokens);
    let body = match trees.pop() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
        Some(other) => return Mistake::new(other.span(), USAGE).into_compile_error(),
        None => return Mistake::new(Span::call_site(), USAGE).into_compile_error(),
    };
    if let Some(bar) = trees.iter().find(|tree| is_punct(tree, '|')) {
        return Mistake::new(bar.span(), USAGE).into_compile_error();
    }
    let begin = trees.windows(2).position(begins_head);
    let head: Vec<TokenTree> = match begin {
        Some(comma) => trees.drain(comma..).skip(1).collect(),
        None if begins_block(&trees) => std::mem::take(&mut trees),
        None => Vec::new(),
    };
    let (mut args, mut errors) = Args::parse(&args::GENERATOR, trees.into_iter().collect());
    if args.yields.is_none() {
        let message =
            "name the type that the generator yields: `coro::generator!(yields = T, { .. })`";
        let missing = || Mistake::new(Span::call_site(), message);
        errors = Some(errors.unwrap_or_else(missing));
        args.unreadable = true;
    }
    coroutine::replace_unreadable(&mut args);
    match Head::read(head) {
        Ok(head) => print(&args, &head, body, errors),
        Err(mistake) => mistake.into_compile_error(),
    }
}

/// Whether these two tokens end the arguments: a comma before a word of the block.
fn begins_head(pair: &[TokenTree]) -> bool {
    is_punct(&pair[0], ',') && begins_block(&pair[1..])
}

fn begins_block(trees: &[TokenTree]) -> bool {
    let words = ["async", "move"];
    trees
        .first()
        .is_some_and(|tree| is_punct(tree, '-') || words.iter().any(|word| is_word(tree, word)))
}

/// The part between the arguments and the block.
struct Head {
    waits: bool,
    moves: Option<TokenTree>,
    /// The type that the block returns, if it is written.
    output: Option<TokenStream>,
}

impl Head {
    fn read(trees: Vec<TokenTree>) -> Result<Head> {
        let mut trees = trees.into_iter().peekable();
        let waits = trees.next_if(|tree| is_word(tree, "async")).is_some();
        let moves = trees.next_if(|tree| is_word(tree, "move"));
        let rest: Vec<TokenTree> = trees.collect();
        let output = match rest.as_slice() {
            [] => None,
            [dash, tip, ty @ ..] if is_punct(dash, '-') && is_punct(tip, '>') => {
                let length = types::length(ty).unwrap_or(0);
                if length == 0 || length < ty.len() {
                    return Err(Mistake::new(mistake::place(&ty[length..]), USAGE));
                }
                Some(ty.iter().cloned().collect())
            }
            rest => return Err(Mistake::new(mistake::place(rest), USAGE)),
        };
        Ok(Head {
            waits,
            moves,
            output,
        })
    }
}

fn print(args: &Args, head: &Head, group: Group, mut errors: Option<Mistake>) -> TokenStream {
    let mut original = Braces::new(group);
    let output = head.output.as_ref();
    let name = Ident::new("generator", Span::call_site());
    let cannot_wait = (!head.waits).then_some(CANNOT_WAIT);
    let misplaced = misplaced::refuse_in(&mut original, &name, output, cannot_wait);
    let context = context(args, misplaced.is_some());
    merge(&mut errors, misplaced);
    let declared = output.and_then(|output| body::returning(Some(output)));
    let body = body::labelled(&original, context, declared);
    let (handle, moves) = (names::handle(), &head.moves);
    // The block owns its handle, and what else it names as its author wished.
    let steps = quote_spanned!(coroutine::promise(args)=> async #moves {
        #[allow(unused_mut)]
        let mut #handle = #handle;
        #body
    });
    fallback::report_in_expression(errors, constructor(args, head, &steps))
}

fn context(args: &Args, broken: bool) -> Context {
    let runtime = names::runtime(args.krate.as_ref());
    match (args.unreadable, broken) {
        (true, _) => Context::Unreadable,
        (false, false) => Context::Yields { runtime },
        (false, true) => Context::YieldsBroken { runtime },
    }
}

/// The call that makes the generator.
fn constructor(args: &Args, head: &Head, steps: &TokenStream) -> TokenStream {
    let waits = head.waits;
    let runtime = names::runtime(args.krate.as_ref());
    let make = names::constructor(waits, args.boxed.is_some(), args.send.is_some());
    let (handle, moves) = (names::handle(), &head.moves);
    let (yields, resumes) = (&args.yields, resumes(args));
    let inferred = args.boxed.map_or_else(|| quote!(_), |_| quote!(_, _));
    let exchanged = quote!(#yields, #resumes);
    // As in `coroutine`: a body with a name keeps editors from showing the parameters of `make`. A closure
    // that borrows is taken for one that is called often, unless it is an argument.
    match moves.is_some() && plain_types::are_plain(&exchanged, &[]) {
        false => quote!(#runtime::#make::<#yields, #resumes, #inferred>(#moves |#handle| #steps)),
        true => {
            let co = names::handle_type(waits);
            quote!({
                let body = #moves |#handle: #runtime::#co<#yields, #resumes>| #steps;
                #runtime::#make::<#yields, #resumes, #inferred>(body)
            })
        }
    }
}

fn resumes(args: &Args) -> TokenStream {
    args.resumes.clone().unwrap_or_else(|| quote!(()))
}
