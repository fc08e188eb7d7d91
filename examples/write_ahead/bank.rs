//! A bank on a disk: transfers, and the recovery after a crash.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use coro::sleep;

/// The time that one write to the disk takes. It happens at its end, whole or not at all.
const WRITE: Duration = Duration::from_millis(2);

/// The entry of a log: the balances that the accounts are to have.
type Entry = BTreeMap<&'static str, i64>;

/// The disk of a bank, which a crash leaves as it is.
#[derive(Default)]
pub(crate) struct Disk {
    balances: RefCell<Entry>,
    log: RefCell<Option<Entry>>,
    /// The number of transfers of which the customer was told.
    pub(crate) told: Cell<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Design {
    /// Changes one balance, then the other.
    Careless,
    /// Writes to a log first, so that a recovery can finish the transfer.
    WriteAhead,
}

impl Disk {
    pub(crate) fn with(balances: &[(&'static str, i64)]) -> Self {
        let disk = Disk::default();
        disk.balances.borrow_mut().extend(balances.iter().copied());
        disk
    }

    pub(crate) fn balance(&self, account: &str) -> i64 {
        self.balances.borrow().get(account).copied().unwrap_or(0)
    }

    async fn set(&self, account: &'static str, balance: i64) {
        sleep(WRITE).await;
        self.balances.borrow_mut().insert(account, balance);
    }

    async fn set_log(&self, entry: Option<Entry>) {
        sleep(WRITE).await;
        *self.log.borrow_mut() = entry;
    }

    /// Moves money, then tells the customer.
    pub(crate) async fn transfer(
        &self,
        design: Design,
        from: &'static str,
        to: &'static str,
        amount: i64,
    ) {
        let after = Entry::from([
            (from, self.balance(from) - amount),
            (to, self.balance(to) + amount),
        ]);
        if design == Design::WriteAhead {
            self.set_log(Some(after.clone())).await; // from here on it will happen
        }
        self.apply(&after).await;
        if design == Design::WriteAhead {
            self.set_log(None).await;
        }
        self.told.set(self.told.get() + 1);
    }

    /// Finishes the transfer that a crash has cut off. It may be cut off itself, and run again: the
    /// log has balances, not differences.
    pub(crate) async fn recover(&self) {
        let entry = self.log.borrow().clone();
        if let Some(entry) = entry {
            self.apply(&entry).await;
            self.set_log(None).await;
        }
    }

    async fn apply(&self, balances: &Entry) {
        for (account, balance) in balances {
            self.set(account, *balance).await;
        }
    }
}
