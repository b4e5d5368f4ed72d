use seggpt_annotations::AnnotationsError;
use seggpt_imaging::ImagingError;

/// Why a data set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file or folder that cannot be read, or is not what its format promises.
    #[error(transparent)]
    File(#[from] AnnotationsError),

    /// A sample that the data set does not have.
    #[error("{dataset} has {len} samples, so there is none with index {index}")]
    OutOfRange {
        /// Name of the data set.
        dataset: String,
        /// The index asked for.
        index: usize,
        /// Number of samples.
        len: usize,
    },
}

impl From<ImagingError> for DatasetError {
    fn from(error: ImagingError) -> Self {
        Self::File(error.into())
    }
}
