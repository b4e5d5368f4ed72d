use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};

use crate::{ContractError, Parameter, Parameters, Payload, parameters::take_text};

/// The sink's word that an item is done with: its files are in place, or its failure is recorded. Metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack(pub Status);

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its mask is written.
    Done,
    /// It has no mask; the report says why.
    Failed,
}

impl Status {
    /// `done` or `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Payload for Ack {
    const URN: &'static str = "seggpt/flow/v1/Ack";

    fn write(&self, parameters: &mut Parameters) -> Result<ArrayRef, ContractError> {
        parameters.insert("status".into(), Parameter::String(self.0.name().into()));
        Ok(Arc::new(UInt8Array::from(Vec::<u8>::new())))
    }

    fn read(_: &ArrayRef, parameters: &mut Parameters) -> Result<Self, ContractError> {
        match take_text(parameters, "Ack", "status")?.as_deref() {
            Some("done") => Ok(Self(Status::Done)),
            Some("failed") => Ok(Self(Status::Failed)),
            Some(other) => Err(ContractError::WrongValue {
                message: "Ack",
                key: "status".into(),
                found: other.into(),
                expected: "done or failed".into(),
            }),
            None => Err(ContractError::MissingKey {
                message: "Ack",
                key: "status".into(),
                place: "in the metadata",
            }),
        }
    }

    /// `item` and `status` are all that an acknowledgement needs.
    fn source_size(&self) -> Option<(u32, u32)> {
        Some((1, 1))
    }
}
