//! A bank: accounts behind locks, with customers who wait until the balance suffices.
//!
//! ```text
//! $ cargo run --example bank
//! Ann has 100, Bob 20, Cem 0: 120 in all
//! Cem wants 90 and has 0: waits
//! Bob gave Cem 15
//! Ann gave Bob 60
//! Ann gave Cem 40
//! Bob gave Cem 50
//! Cem takes out 90
//! Cem would give Ann 500, and stops waiting
//! Ann has 0, Bob 15, Cem 15: 30 in all
//! every audit found the right sum
//! ```
//!
//! A transfer locks both accounts, the lower number first, so that two transfers never wait for
//! each other. With `-- 0.1` after the command the last transfer stops waiting ten times as soon.

mod support;

use coro::sync::{Condition, Lock, LockGuard};
use coro::{Elapsed, gather, timeout, yield_from, yield_now};
use support::seconds;

const NAMES: [&str; 3] = ["Ann", "Bob", "Cem"];
const ANN: usize = 0;
const BOB: usize = 1;
const CEM: usize = 2;

struct Account {
    balance: Lock<u32>,
    /// Notified of each payment into the account.
    paid_in: Condition,
}

struct Bank {
    accounts: [Account; 3],
    /// The sum of all balances.
    total: Lock<u32>,
}

impl Bank {
    fn with(balances: [u32; 3]) -> Self {
        Bank {
            total: Lock::new(balances.iter().sum()),
            accounts: balances.map(|balance| Account {
                balance: Lock::new(balance),
                paid_in: Condition::new(),
            }),
        }
    }

    /// Locks two accounts; the account with the lower number comes first.
    #[coro::coroutine]
    fn lock_both(&self, one: usize, other: usize) -> [LockGuard<'_, u32>; 2] {
        let (low, high) = (one.min(other), one.max(other));
        let low = yield_from!(self.accounts[low].balance.lock());
        let high = yield_from!(self.accounts[high].balance.lock());
        if one < other {
            [low, high]
        } else {
            [high, low]
        }
    }

    /// Moves money as soon as the source holds enough of it.
    #[coro::coroutine]
    fn transfer(&self, from: usize, to: usize, amount: u32) {
        loop {
            let [mut source, mut target] = yield_from!(self.lock_both(from, to));
            yield_from!(yield_now()); // other tasks run while both accounts are locked
            if *source >= amount {
                *source -= amount;
                *target += amount;
                println!("{} gave {} {amount}", NAMES[from], NAMES[to]);
                self.accounts[to].paid_in.notify_all();
                return;
            }
            drop(target); // `wait_for` releases only the source's lock
            let enough = |balance: &mut u32| *balance >= amount;
            drop(yield_from!(
                self.accounts[from].paid_in.wait_for(source, enough)
            ));
        }
    }

    /// Takes money out of the bank as soon as the account holds enough of it.
    #[coro::coroutine]
    fn take_out(&self, who: usize, amount: u32) {
        let account = &self.accounts[who];
        let balance = yield_from!(account.balance.lock());
        if *balance < amount {
            println!("{} wants {amount} and has {}: waits", NAMES[who], *balance);
        }
        let enough = |balance: &mut u32| *balance >= amount;
        let mut balance = yield_from!(account.paid_in.wait_for(balance, enough));
        *yield_from!(self.total.lock()) -= amount;
        *balance -= amount;
        println!("{} takes out {amount}", NAMES[who]);
    }

    /// Compares the balances with the total, while it holds the locks of all accounts.
    #[coro::coroutine]
    fn audit(&self) -> bool {
        let mut sum = 0;
        let mut held = Vec::new();
        for account in &self.accounts {
            let balance = yield_from!(account.balance.lock());
            sum += *balance;
            held.push(balance);
        }
        sum == *yield_from!(self.total.lock())
    }

    #[coro::coroutine]
    fn audits(&self, times: usize) -> bool {
        for _ in 0..times {
            if !yield_from!(self.audit()) {
                return false;
            }
            yield_from!(yield_now());
        }
        true
    }

    #[coro::coroutine]
    fn statement(&self) -> String {
        let mut parts = Vec::new();
        for (name, account) in NAMES.iter().zip(&self.accounts) {
            let balance = *yield_from!(account.balance.lock());
            let verb = if parts.is_empty() { " has" } else { "" };
            parts.push(format!("{name}{verb} {balance}"));
        }
        let total = *yield_from!(self.total.lock());
        format!("{}: {total} in all", parts.join(", "))
    }
}

#[coro::main]
fn main() {
    support::check_arguments();
    let bank = Bank::with([100, 20, 0]);
    println!("{}", yield_from!(bank.statement()));

    let ((), (), (), (), (), right) = yield_from!(gather((
        bank.take_out(CEM, 90),
        bank.transfer(BOB, CEM, 15),
        bank.transfer(ANN, BOB, 60),
        bank.transfer(ANN, CEM, 40),
        bank.transfer(BOB, CEM, 50), // more than Bob has at first
        bank.audits(10),
    )));

    // The timeout drops the transfer, which leaves no lock behind.
    match yield_from!(timeout(seconds(0.2), bank.transfer(CEM, ANN, 500))) {
        Ok(()) => println!("which was not expected"),
        Err(Elapsed) => println!("Cem would give Ann 500, and stops waiting"),
    }
    println!("{}", yield_from!(bank.statement()));
    match right && yield_from!(bank.audit()) {
        true => println!("every audit found the right sum"),
        false => println!("an audit failed"),
    }
}
