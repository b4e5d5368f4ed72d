use std::sync::{Arc, Mutex, PoisonError};

use super::Canvas;

/// Sizes that are remembered: a service that is asked for many does not grow with them.
const MOST: usize = 4;

/// What is made once for a canvas size, for the last few sizes.
#[derive(Debug)]
pub(crate) struct Recent<T>(Mutex<Vec<(Canvas, Arc<T>)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Recent<T> {
    /// What is there for this size, or what `make` makes.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get<E>(
        &self,
        canvas: Canvas,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        // What another thread failed to add is simply not there.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|(of, _)| *of == canvas);
        let entry = match known {
            Some(at) => all.remove(at),
            None => (canvas, Arc::new(make()?)),
        };
        let found = entry.1.clone();
        all.push(entry);
        if all.len() > MOST {
            all.remove(0);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sizes_are_made_once_and_no_more_are_kept() {
        let recent = Recent::default();
        let mut made = Vec::new();
        for rows in [1, 2, 3, 4, 1, 5, 1, 2] {
            let canvas = Canvas { rows, columns: 7 };
            let found = recent.get(canvas, || {
                made.push(rows);
                Ok::<_, ()>(rows)
            });
            assert_eq!(found.as_deref(), Ok(&rows));
        }
        assert_eq!(
            made,
            [1, 2, 3, 4, 5, 2],
            "2 was the one longest not asked for"
        );
    }
}
