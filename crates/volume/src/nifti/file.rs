use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::header::{Header, TWO, recognised};
use crate::VolumeError;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 1 << 18;

/// Whether a file begins as NIfTI does, compressed or not; the voxels of a pair alone do not.
///
/// # Errors
/// It cannot be read.
pub fn is_nifti(path: &Path) -> io::Result<bool> {
    let mut stream = Stream::open(path)?;
    match begin(&mut stream) {
        Ok(begin) => Ok(recognised(&begin).is_some()),
        // Neither a compressed file that is damaged at once nor one that is none says what it is.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A NIfTI file whose header is read.
#[derive(Clone, Debug)]
pub struct NiftiFile {
    /// What its header says.
    pub header: Header,
    /// The file that was named, or the header beside it.
    path: PathBuf,
    voxels: PathBuf,
}

/// The voxels of a volume, in file order.
pub struct Voxels {
    header: Header,
    path: PathBuf,
    stream: Stream,
}

impl NiftiFile {
    /// Reads the header of a `.nii` file, or of a pair of `.hdr` and `.img`, whichever of both is named; any of them
    /// may be compressed.
    ///
    /// # Errors
    /// The file cannot be read, is no NIfTI, says what cannot be used, or its other half is not there.
    pub fn open(path: &Path) -> Result<Self, VolumeError> {
        let own = match other_half(path, "img", "hdr") {
            Half::Other(header) => header,
            Half::Missing => {
                return Err(VolumeError::new(
                    path,
                    "these are voxels without their header: put the .hdr file beside it",
                ));
            }
            Half::NotOne => path.to_owned(),
        };
        let mut stream = Stream::open(&own).map_err(VolumeError::io(&own, "cannot be read"))?;
        let begin =
            begin(&mut stream).map_err(VolumeError::io(&own, "its header cannot be read"))?;
        let header = Header::read(&own, &begin)?;
        let voxels = match (header.is_pair, other_half(&own, "hdr", "img")) {
            (false, _) => own.clone(),
            (true, Half::Other(voxels)) => voxels,
            (true, Half::Missing) => {
                return Err(VolumeError::new(
                    &own,
                    "a header without its voxels: put the .img file beside it",
                ));
            }
            (true, Half::NotOne) => {
                return Err(VolumeError::new(
                    &own,
                    "it is the header of a pair of files, but is not called .hdr, so that its .img is not found",
                ));
            }
        };
        Ok(Self {
            header,
            path: own,
            voxels,
        })
    }

    /// The files that it consists of.
    pub fn files(&self) -> Vec<&Path> {
        match self.path == self.voxels {
            true => vec![&self.path],
            false => vec![&self.path, &self.voxels],
        }
    }

    /// The voxels of the volume at a point of time, from the first.
    ///
    /// # Errors
    /// They cannot be read, or the file ends before them.
    ///
    /// # Panics
    /// If `time` is not below [`Header::times`].
    pub fn voxels(&self, time: usize) -> Result<Voxels, VolumeError> {
        assert!(time < self.header.times, "that point of time is not there");
        let failed = || VolumeError::io(&self.voxels, "its voxels cannot be read");
        let mut stream = Stream::open(&self.voxels).map_err(failed())?;
        let skipped = self.header.offset + self.header.volume_bytes() * time as u64;
        if let Some(bytes) = stream.length().map_err(failed())? {
            let needed = self.header.offset + self.header.volume_bytes() * self.header.times as u64;
            if bytes < needed {
                return Err(VolumeError::new(
                    &self.voxels,
                    format!("it is cut off: {bytes} bytes, where its header speaks of {needed}"),
                ));
            }
        }
        stream.skip(skipped).map_err(failed())?;
        Ok(Voxels {
            header: self.header.clone(),
            path: self.voxels.clone(),
            stream,
        })
    }
}

impl Voxels {
    /// The next voxels as they are stored, as many as there is room for.
    ///
    /// # Errors
    /// The file is damaged or cut off.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Result<(), VolumeError> {
        self.stream
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => VolumeError::new(
                    &self.path,
                    "it is cut off: it ends before its last voxel; copy it again",
                ),
                _ => VolumeError::Io {
                    path: self.path.clone(),
                    what: "it is damaged",
                    error,
                },
            })
    }

    /// Stored voxels as numbers.
    pub fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        self.header.decode(bytes)
    }
}

impl Header {
    /// Stored voxels as numbers.
    pub fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        self.dtype.decode(self.fields.endian, bytes, self.scale)
    }
}

/// A file, decompressed where it is compressed.
enum Stream {
    Plain(BufReader<File>),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Stream {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut first = Vec::new();
        (&mut file).take(2).read_to_end(&mut first)?;
        file.rewind()?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(match first == GZIP {
            true => Self::Gzip(Box::new(MultiGzDecoder::new(file))),
            false => Self::Plain(file),
        })
    }

    /// Of a file that is not compressed, its bytes.
    fn length(&self) -> io::Result<Option<u64>> {
        match self {
            Self::Plain(file) => Ok(Some(file.get_ref().metadata()?.len())),
            Self::Gzip(_) => Ok(None),
        }
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.seek(SeekFrom::Start(bytes)).map(drop),
            Self::Gzip(_) => {
                let skipped = io::copy(&mut self.by_ref().take(bytes), &mut io::sink())?;
                match skipped == bytes {
                    true => Ok(()),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(file) => file.read(buffer),
        }
    }
}

/// As many bytes as the longest header has, or all.
fn begin(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    let read = stream.take(TWO.bytes as u64).read_to_end(&mut begin);
    match read {
        // A compressed file that is cut off within its header says so by what is missing.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(begin),
    }
}

enum Half {
    Other(PathBuf),
    Missing,
    NotOne,
}

/// The file beside one that ends in `.img`, say, that ends in `.hdr`.
fn other_half(path: &Path, from: &str, to: &str) -> Half {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, _) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.eq_ignore_ascii_case("gz") => (stem, true),
        _ => (&*name, false),
    };
    let Some((stem, ending)) = stem.rsplit_once('.') else {
        return Half::NotOne;
    };
    if !ending.eq_ignore_ascii_case(from) {
        return Half::NotOne;
    }
    let upper = to.to_uppercase();
    let names = [to, &upper].map(|to| [format!("{stem}.{to}"), format!("{stem}.{to}.gz")]);
    let found = names
        .into_iter()
        .flatten()
        .map(|name| path.with_file_name(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .map_or(Half::Missing, Half::Other)
}
