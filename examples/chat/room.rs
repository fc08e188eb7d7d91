//! The guests of the house, each with a room, with a queue of untold lines.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use coro::sync::Event;

/// A guest with this number of untold lines reads too slowly.
const UNTOLD_MAX: usize = 100;

/// All guests. Everything runs on one thread, so plain cells are enough.
#[derive(Default)]
pub(crate) struct House {
    /// By name.
    guests: RefCell<BTreeMap<String, Rc<Guest>>>,
}

#[derive(Default)]
pub(crate) struct Guest {
    room: RefCell<String>,
    untold: RefCell<VecDeque<Rc<str>>>,
    news: Event,
    /// Whether the lines in `untold` are the last.
    is_leaving: Cell<bool>,
}

impl Guest {
    pub(crate) fn room(&self) -> String {
        self.room.borrow().clone()
    }

    /// Queues a line for the guest.
    pub(crate) fn tell(&self, line: impl Into<Rc<str>>) {
        if !self.is_leaving.get() {
            self.untold.borrow_mut().push_back(line.into());
            self.news.set();
        }
    }

    /// Queues the guest's last line.
    pub(crate) fn dismiss(&self, line: &str) {
        self.tell(line);
        self.is_leaving.set(true);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.get()
    }

    /// Waits for the next queued line; `None` after the last.
    #[coro::coroutine]
    pub(crate) async fn next(&self) -> Option<Rc<str>> {
        loop {
            if let Some(line) = self.untold.borrow_mut().pop_front() {
                return Some(line);
            }
            if self.is_leaving() {
                return None;
            }
            self.news.clear();
            self.news.wait().await;
        }
    }

    fn reads_too_slowly(&self) -> bool {
        self.untold.borrow().len() >= UNTOLD_MAX
    }
}

impl House {
    /// Lets a guest in; `None` if the name is taken.
    pub(crate) fn enter(&self, name: &str, room: &str) -> Option<Rc<Guest>> {
        if self.guests.borrow().contains_key(name) {
            return None;
        }
        self.say(room, &format!("* {name} has come"));
        let guest = Rc::<Guest>::default();
        guest.room.replace(room.to_owned());
        let mut guests = self.guests.borrow_mut();
        guests.insert(name.to_owned(), guest.clone());
        Some(guest)
    }

    pub(crate) fn leave(&self, name: &str) {
        let guest = self.guests.borrow_mut().remove(name);
        if let Some(guest) = guest {
            self.say(&guest.room(), &format!("* {name} has left"));
        }
    }

    pub(crate) fn change_room(&self, name: &str, guest: &Guest, room: &str) {
        let before = guest.room.replace(room.to_owned());
        self.say(&before, &format!("* {name} has gone to {room}"));
        self.say(room, &format!("* {name} has come"));
    }

    /// Gives a guest another name; `false` if it is taken.
    pub(crate) fn rename(&self, name: &str, to: &str) -> bool {
        let mut guests = self.guests.borrow_mut();
        if guests.contains_key(to) {
            return false;
        }
        let Some(guest) = guests.remove(name) else {
            return false;
        };
        let room = guest.room();
        guests.insert(to.to_owned(), guest);
        drop(guests);
        self.say(&room, &format!("* {name} is now called {to}"));
        true
    }

    /// The names of the guests in a room.
    pub(crate) fn names(&self, room: &str) -> String {
        let guests = self.guests.borrow();
        let there = guests
            .iter()
            .filter(|(_, guest)| *guest.room.borrow() == room);
        there
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Tells all guests in a room. A guest that reads too slowly is dismissed instead.
    pub(crate) fn say(&self, room: &str, line: &str) {
        let line: Rc<str> = line.into();
        let mut slow = Vec::new();
        for (name, guest) in self.guests.borrow().iter() {
            if *guest.room.borrow() != room || guest.is_leaving() {
                continue;
            }
            match guest.reads_too_slowly() {
                false => guest.tell(line.clone()),
                true => slow.push((name.clone(), guest.clone())),
            }
        }
        for (name, guest) in slow {
            guest.dismiss("* you read too slowly: goodbye");
            println!("{name} reads too slowly");
            self.say(room, &format!("* {name} reads too slowly, and has to go"));
        }
    }

    /// Dismisses all guests with the same last line.
    pub(crate) fn close(&self, line: &str) {
        for guest in self.guests.borrow().values() {
            guest.dismiss(line);
        }
    }
}
