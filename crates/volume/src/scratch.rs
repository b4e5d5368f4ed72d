use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Voxels on disk, slice after slice along any axis: a stream in file order fills it slab by slab, and any slice is one
/// read. The same the other way round. The file goes with it.
///
/// In a slice, the later of the two other axes is outside, as in the stream.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    file: File,
    shape: [usize; 3],
    axis: usize,
    /// Bytes of a voxel.
    voxel: usize,
}

/// Bytes of the slabs that a stream is cut into; a plane that is larger goes alone.
const SLAB: usize = 16 << 20;

impl Scratch {
    /// Makes the file, and the folders that it needs; one that is there is overwritten. What is not written reads as zero.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn create(path: &Path, shape: [usize; 3], axis: usize, voxel: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        let bytes = shape.iter().product::<usize>() * voxel;
        file.set_len(bytes as u64)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            shape,
            axis,
            voxel,
        })
    }

    /// How many planes of the file's order a slab has.
    pub fn planes(&self) -> usize {
        let plane = self.shape[0] * self.shape[1] * self.voxel;
        (SLAB / plane.max(1)).clamp(1, self.shape[2].max(1))
    }

    /// Bytes of a plane of the file's order.
    pub fn plane_bytes(&self) -> usize {
        self.shape[0] * self.shape[1] * self.voxel
    }

    /// Bytes of a slice.
    pub fn slice_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() / self.shape[self.axis].max(1) * self.voxel
    }

    /// Takes whole planes of the file's order, the first of them being number `first`.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn write_slab(&mut self, first: usize, slab: &[u8]) -> io::Result<()> {
        let planes = slab.len() / self.plane_bytes().max(1);
        let mut piece = Vec::new();
        for number in 0..self.pieces() {
            piece.clear();
            for plane in 0..planes {
                self.parts(plane, number, |from, bytes| {
                    piece.extend_from_slice(&slab[from..from + bytes]);
                });
            }
            self.file
                .seek(SeekFrom::Start(self.place(number, first) as u64))?;
            self.file.write_all(&piece)?;
        }
        Ok(())
    }

    /// Whole planes of the file's order.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn read_slab(&self, first: usize, planes: usize) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        let mut slab = vec![0; planes * self.plane_bytes()];
        let mut piece = vec![0; slab.len() / self.pieces()];
        for number in 0..self.pieces() {
            file.seek(SeekFrom::Start(self.place(number, first) as u64))?;
            file.read_exact(&mut piece)?;
            let mut at = 0;
            for plane in 0..planes {
                self.parts(plane, number, |from, bytes| {
                    slab[from..from + bytes].copy_from_slice(&piece[at..at + bytes]);
                    at += bytes;
                });
            }
        }
        Ok(slab)
    }

    /// A slice.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn read_slice(&self, index: usize) -> io::Result<Vec<u8>> {
        let mut slice = vec![0; self.slice_bytes()];
        let at = index * self.slice_bytes();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at as u64))?;
        file.read_exact(&mut slice)?;
        Ok(slice)
    }

    /// Writes a slice.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn write_slice(&mut self, index: usize, slice: &[u8]) -> io::Result<()> {
        let at = index * self.slice_bytes();
        self.file.seek(SeekFrom::Start(at as u64))?;
        self.file.write_all(slice)
    }

    /// Into how many pieces a slab falls: one a slice that it crosses.
    fn pieces(&self) -> usize {
        match self.axis {
            2 => 1,
            axis => self.shape[axis],
        }
    }

    /// Where in the file the piece of a slab begins that belongs to slice `number`.
    fn place(&self, number: usize, first: usize) -> usize {
        match self.axis {
            2 => first * self.slice_bytes(),
            axis => number * self.slice_bytes() + first * self.shape[1 - axis] * self.voxel,
        }
    }

    /// The ranges of a slab that piece `number` has of one of its planes: begin and length.
    fn parts(&self, plane: usize, number: usize, mut take: impl FnMut(usize, usize)) {
        let begin = plane * self.plane_bytes();
        let row = self.shape[0] * self.voxel;
        match self.axis {
            2 => take(begin, self.plane_bytes()),
            1 => take(begin + number * row, row),
            _ => (0..self.shape[1])
                .for_each(|y| take(begin + y * row + number * self.voxel, self.voxel)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is overwritten by the next of this name.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slices_of_a_stream_along_every_axis_and_the_stream_again(
            shape in [1..6_usize, 1..6_usize, 1..6_usize], axis in 0..3_usize, slab in 1..4_usize
        ) {
            let folder = tempfile::tempdir().unwrap();
            let [nx, ny, nz] = shape;
            // Each voxel says where it is.
            let voxels: Vec<[u8; 3]> = (0..nz)
                .flat_map(|z| (0..ny).flat_map(move |y| (0..nx).map(move |x| [x, y, z].map(|i| i as u8))))
                .collect();
            let stream = voxels.as_flattened();
            let mut scratch = Scratch::create(&folder.path().join("s"), shape, axis, 3).unwrap();
            let plane = scratch.plane_bytes();
            for first in (0..nz).step_by(slab) {
                let end = (first + slab).min(nz);
                scratch.write_slab(first, &stream[first * plane..end * plane]).unwrap();
            }
            let mut again = Scratch::create(&folder.path().join("again"), shape, axis, 3).unwrap();
            for index in 0..shape[axis] {
                let slice = scratch.read_slice(index).unwrap();
                prop_assert!(slice.as_chunks::<3>().0.iter().all(|voxel| usize::from(voxel[axis]) == index));
                let mut ordered = slice.as_chunks::<3>().0.to_vec();
                ordered.sort_by_key(|[x, y, z]| (*z, *y, *x));
                prop_assert_eq!(slice.as_chunks::<3>().0, ordered);
                again.write_slice(index, &slice).unwrap();
            }
            let mut back = Vec::new();
            for first in (0..nz).step_by(slab) {
                back.extend(again.read_slab(first, slab.min(nz - first)).unwrap());
            }
            prop_assert_eq!(back, stream);
        }
    }

    #[test]
    fn the_file_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/s");
        drop(Scratch::create(&path, [2, 2, 2], 0, 1).unwrap());
        assert!(!path.exists());
    }
}
