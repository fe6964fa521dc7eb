//! Numbers that stand for paths and names, so that what is kept of each commit is small.

use std::collections::HashMap;
use std::hash::Hash;

/// Things that are named by a number, each once.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    pub(super) numbers: HashMap<T, u32>,
    pub(super) all: Vec<T>,
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    pub(super) fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            all: Vec::new(),
        }
    }

    pub(super) fn number(&mut self, thing: &T) -> u32 {
        if let Some(number) = self.numbers.get(thing) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).expect("fewer than 2^32 names fit into memory");
        self.numbers.insert(thing.clone(), number);
        self.all.push(thing.clone());
        number
    }

    pub(super) fn get(&self, number: u32) -> T {
        self.all[number as usize].clone()
    }
}
