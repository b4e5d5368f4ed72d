//! Memory that vectors are loaded from.

/// Zeros, the first of them on a cache line of its own, so that no vector lies across two.
pub(crate) struct Buffer<T> {
    memory: Vec<T>,
    start: usize,
    length: usize,
}

const LINE: usize = 64;

impl<T: Copy + Default> Buffer<T> {
    pub(crate) fn new(length: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let memory = vec![T::default(); length + spare];
        let start = memory.as_ptr().align_offset(LINE).min(spare);
        Self {
            memory,
            start,
            length,
        }
    }
}

impl<T> std::ops::Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl<T> std::ops::DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.length]
    }
}
