//! Signatures whose tokens are easily misread: commas and colons inside of types and patterns, arrows in
//! angle brackets, invisible groups.

#![deny(warnings, unused, unused_qualifications, rust_2018_idioms, unused_lifetimes, unused_macro_rules)]
#![forbid(unsafe_code)]
#![allow(unused_parens, clippy::redundant_static_lifetimes)]

use coro::{Coroutine, CoroutineState, yield_, yield_from};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::ready;
use std::pin::Pin;

mod shapes {
    pub struct Pair<A, B>(pub A, pub B);
    pub struct Named<T> {
        pub value: T,
        pub other: Option<T>,
    }
    pub enum Only<T> {
        This(T),
    }
    pub trait Has {
        type Item;
    }
    impl Has for u8 {
        type Item = u32;
    }
}
use shapes::{Has, Named, Only, Pair};

macro_rules! numbers {
    ($($name:ident),*) => { ($($name,)*) };
}

macro_rules! boxed_of {
    ($ty:ty) => { Box<$ty> };
}

macro_rules! each_kind {
    ($($name:ident($($args:tt)*);)*) => {$(
        mod $name {
            use super::*;

            #[coro::coroutine($($args)*)]
            pub fn patterns(
                shapes::Pair::<u32, Vec<u8>>(a, mut b): Pair<u32, Vec<u8>>,
                Named::<(u8, u8)> { value: (c, _), other: ref d, .. }: Named<(u8, u8)>,
                self::shapes::Only::This(e): Only<u32>,
                &mut (ref mut f, &g): &mut (u32, &u32),
                numbers!(h, i): (u32, u32),
                whole @ (0..=9 | 10..): u8,
                [j, rest @ ..]: [u32; { 1 + 2 }],
                (mut k): u32,
            ) -> u32 {
                b.push(c);
                *f += e;
                k += yield_from!(ready(1));
                a + b.len() as u32 + d.map_or(0, |(one, _)| u32::from(one)) + *f + g + h + i + u32::from(whole) + j
                    + rest.len() as u32 + k
            }

            #[coro::coroutine($($args)*)]
            pub fn types<'a, 'b: 'a, F: Fn(&str) -> usize + 'a, T, const N: usize,>(
                a: HashMap<u32, Pair<u8, u8>>,
                b: &'a (impl Fn(u32, u32) -> u32 + ?Sized),
                c: Box<dyn for<'x> FnOnce(&'x u32, Pair<u8, u8>) -> &'x u32 + 'b>,
                d: F,
                e: fn(u32, u32) -> u32,
                f: <u8 as Has>::Item,
                g: [T; N],
                h: ((&'a u32, u32),),
                i: boxed_of!(u32),
            ) -> Result<u32, Pair<u8, Infallible>>
            where
                T: Into<u32> + Debug,
                for<'x> &'x u32: Debug,
            {
                let g: u32 = g.into_iter().map(Into::into).sum();
                let c = *c(&yield_from!(ready(4)), Pair(1, 1));
                Ok(a.len() as u32 + b(1, 2) + c + d("abc") as u32 + e(1, 2) + f + g + h.0.0 + h.0.1 + *i)
            }

            #[coro::coroutine($($args)*)]
            pub fn never(start: u32, stop: bool) -> ! {
                let mut count = start;
                while !stop {
                    count += yield_from!(ready(1));
                }
                panic!("{count}")
            }
        }
    )*};
}

each_kind! {
    plain();
    boxed(boxed);
}

struct Place(u32);

trait Walk<'w> {
    #[coro::coroutine(boxed)]
    fn pinned(self: Pin<&mut Self>, by: &u32,) -> u32;
    #[coro::coroutine(boxed)]
    fn named<'a>(&'a mut self, by: (&u32, u8)) -> &'a u32;
    #[coro::coroutine(boxed)]
    fn outer(self: &'w Self) -> &'w u32;
    #[coro::coroutine(boxed)]
    fn elided(&'_ self, #[cfg(any())] none: NoSuchType, by: Option<&'_ u32>) -> u32 {
        by.map_or(0, |by| *by)
    }
}

impl<'w> Walk<'w> for Place {
    #[coro::coroutine(boxed)]
    fn pinned(mut self: Pin<&mut Self>, by: &u32) -> u32 {
        self.0 += yield_from!(ready(*by));
        self.0
    }
    #[coro::coroutine(boxed)]
    fn named<'a>(&'a mut self, (by, _): (&u32, u8)) -> &'a u32 {
        self.0 += yield_from!(ready(*by));
        &self.0
    }
    #[coro::coroutine(boxed)]
    fn outer(self: &'w Self) -> &'w u32 {
        &self.0
    }
}

/// A function of which all parts were handed through a macro, and stand in invisible groups.
macro_rules! made {
    ($(#[$attr:meta])* $vis:vis $name:ident $lifetime:lifetime ($pat:pat, $ty:ty) $out:ty, $path:path, $body:block) => {
        $(#[$attr])*
        #[coro::coroutine]
        $vis fn $name<$lifetime, T: $path>($pat: &$lifetime $ty, _: T) -> $out $body
    };
}

made!(#[inline] pub(crate) waits 'a ((a, b), (u32, u32)) (u32), Debug, { yield_from!(ready(*a)) + b });

macro_rules! yields {
    ($name:ident, $ty:ty, $pat:pat => $value:expr) => {
        #[coro::coroutine(yields = $ty)]
        fn $name($pat: $ty) {
            yield_!($value);
        }
    };
}

yields!(once, Option<Pair<u8, u8>>, x => x);
yields!(once_mutable, Vec<u8>, mut x => { x.push(2); x });

#[coro::coroutine(yields = HashMap<u32, Vec<(u8, u8)>>, resumes = Result<u32, Pair<u8, u8>>)]
fn maps(Pair::<u8, u8>(a, b): Pair<u8, u8>) -> u32 {
    let resumed = yield_!(HashMap::from([(1, vec![(a, b)])]));
    resumed.unwrap_or_default()
}

#[coro::main]
fn main() {
    macro_rules! check {
        ($($kind:ident)*) => {$(
            let (pair, named) = (Pair(1, vec![0]), Named { value: (1, 1), other: Some((1, 1)) });
            let mut two = (1, &1);
            let sum = $kind::patterns(pair, named, Only::This(2), &mut two, (1, 1), 1, [1, 2, 3], 1);
            assert_eq!(sum.await, 16);
            let map = HashMap::from([(1, Pair(1, 1))]);
            let e = |a, b| a + b;
            let sum = $kind::types(map, &|a, b| a * b, Box::new(|a, _| a), str::len, e, 1, [1_u8, 1], ((&1, 1),), Box::new(1));
            assert_eq!(sum.await.ok(), Some(19));
            drop($kind::never(1, true));
        )*};
    }
    check!(plain boxed);
    let mut place = Place(1);
    assert_eq!(Pin::new(&mut place).pinned(&1).await, 2);
    assert_eq!(*place.named((&2, 0)).await, 4);
    assert_eq!(place.elided(Some(&5)).await + place.outer().await, 9);
    assert_eq!(waits(&(1, 2), ()).await, 3);
    assert_eq!(once(Some(Pair(1, 2))).into_iter().flatten().map(|Pair(a, b)| a + b).sum::<u8>(), 3);
    assert_eq!(once_mutable(vec![1]).into_iter().flatten().count(), 2);
    let mut maps = Box::pin(maps(Pair(1, 2)));
    assert!(matches!(maps.as_mut().start(), CoroutineState::Yielded(map) if map[&1] == [(1, 2)]));
}
