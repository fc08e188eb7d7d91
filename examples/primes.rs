//! All primes, as an iterator that never ends.
//!
//! ```text
//! $ cargo run --example primes
//! the first ten: 2 3 5 7 11 13 17 19 23 29
//! the 10001st: 104743
//! below two million: 148933, their sum 142913828922
//! twins below 100: 3/5 5/7 11/13 17/19 29/31 41/43 59/61 71/73
//! 600851475143 = 71 x 839 x 1471 x 6857
//! ```
//!
//! The sieve runs only as far as its consumer iterates. It needs the primes up to the square root
//! of its position, and takes them from another generator of the same kind, which is equally lazy.
//! A generator that contains itself must be `boxed`.

use std::collections::HashMap;

use coro::{yield_, yield_from};

/// An incremental sieve that remembers, for each prime up to the root, its next odd multiple.
#[coro::coroutine(yields = u64, boxed)]
fn primes() {
    yield_from!([2, 3, 5, 7].into_iter());
    let mut next_multiples = HashMap::new();
    let mut roots = primes().skip(2);
    let mut root = 3;
    for n in (9..).step_by(2) {
        let step = match next_multiples.remove(&n) {
            Some(step) => step,
            None if n < root * root => {
                yield_!(n);
                continue;
            }
            None => {
                let step = 2 * root; // n is the square of a prime
                root = roots.next().unwrap_or(u64::MAX);
                step
            }
        };
        let mut multiple = n + step;
        while next_multiples.contains_key(&multiple) {
            multiple += step;
        }
        next_multiples.insert(multiple, step);
    }
}

/// The prime factors of `n`, each as often as it divides `n`.
#[coro::coroutine(yields = u64, boxed)]
fn factors(mut n: u64) {
    for prime in primes() {
        while n.is_multiple_of(prime) {
            yield_!(prime);
            n /= prime;
        }
        if prime * prime > n {
            break;
        }
    }
    if n > 1 {
        yield_!(n);
    }
}

fn joined(items: impl Iterator<Item = String>, separator: &str) -> String {
    items.collect::<Vec<_>>().join(separator)
}

fn main() {
    let ten = primes().take(10).map(|prime| prime.to_string());
    println!("the first ten: {}", joined(ten, " "));

    println!("the 10001st: {}", primes().nth(10_000).unwrap());

    let (mut count, mut sum) = (0, 0);
    for prime in primes().take_while(|&prime| prime < 2_000_000) {
        (count, sum) = (count + 1, sum + prime);
    }
    println!("below two million: {count}, their sum {sum}");

    let twins = primes().zip(primes().skip(1)).filter(|(a, b)| b - a == 2);
    let twins = twins
        .take_while(|&(_, b)| b < 100)
        .map(|(a, b)| format!("{a}/{b}"));
    println!("twins below 100: {}", joined(twins, " "));

    let n = 600_851_475_143;
    println!(
        "{n} = {}",
        joined(factors(n).map(|factor| factor.to_string()), " x ")
    );
}
