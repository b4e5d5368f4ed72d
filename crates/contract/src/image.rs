use std::sync::Arc;

use arrow::{
    array::{ArrayRef, UInt8Array},
    buffer::ScalarBuffer,
};

use crate::{ContractError, Parameter, Parameters, Payload, Picture, parameters::integer};

/// A picture on its own: what sources send.
///
/// Written in dora-hub's dialect (flat `UInt8`; metadata `width`, `height`, `encoding`, `primitive: image`), so that any
/// hub node can take it; read in every dialect that [`Picture::from_arrow`] knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Image(pub Picture);

impl Payload for Image {
    const URN: &'static str = "seggpt/flow/v1/Image";

    fn write(&self, parameters: &mut Parameters) -> Result<ArrayRef, ContractError> {
        let picture = &self.0;
        let mut put = |key: &str, value| parameters.insert(key.to_owned(), value);
        put("width", integer(picture.width().into()));
        put("height", integer(picture.height().into()));
        put(
            "encoding",
            Parameter::String(picture.encoding().to_string()),
        );
        put("primitive", Parameter::String("image".into()));
        Ok(Arc::new(UInt8Array::new(
            ScalarBuffer::from(picture.buffer()),
            None,
        )))
    }

    fn read(array: &ArrayRef, parameters: &mut Parameters) -> Result<Self, ContractError> {
        Picture::from_arrow(array, parameters).map(Self)
    }

    fn source_size(&self) -> Option<(u32, u32)> {
        Some((self.0.width(), self.0.height()))
    }
}
