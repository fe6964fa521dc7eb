//! A buffer for text that holds secrets: when it grows, the bytes in the old place are wiped.

use zeroize::Zeroizing;

/// The smallest buffer that is worth asking the allocator for.
const SMALLEST: usize = 1024;

/// Bytes to which others are appended.
#[derive(Default)]
pub(super) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    /// Appends `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.with_room(bytes.len()).extend_from_slice(bytes);
    }

    /// The bytes, with room for `more` of them: whoever appends no more than that leaves no copy behind.
    pub(super) fn with_room(&mut self, more: usize) -> &mut Zeroizing<Vec<u8>> {
        if self.0.capacity() - self.0.len() < more {
            let capacity = (self.0.len() + more).max(self.0.capacity() * 2).max(SMALLEST);
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        &mut self.0
    }

    /// What was appended.
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}
