use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::ImagingError;

/// Runs a decoder. One that panics costs its file, not the process.
pub(crate) fn guarded<T>(
    name: &str,
    decode: impl FnOnce() -> Result<T, ImagingError>,
) -> Result<T, ImagingError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
        Err(ImagingError::Damaged {
            name: name.to_owned(),
            format: "picture",
            reason: format!("the decoder broke off ({})", text.unwrap_or_default()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_tiff_198_a_decoder_that_panics_costs_its_file() {
        let error = guarded::<()>("a.tif", || panic!("index out of bounds"));
        let text = error.map_err(|error| error.to_string());
        assert!(text.is_err_and(
            |text| text.starts_with("a.tif: damaged") && text.contains("out of bounds")
        ));
    }
}
