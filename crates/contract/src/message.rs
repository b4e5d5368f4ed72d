use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};

use crate::{ContractError, ForeignName, Identity, Parameters, envelope::Envelope};

/// What a message carries beside its identity.
pub trait Payload: Sized {
    /// The type's name in a dataflow's `output_types` and `input_types`.
    const URN: &'static str;

    /// The Arrow payload; adds the metadata keys that belong to it.
    ///
    /// # Errors
    /// A value that has no place in the message.
    fn write(&self, parameters: &mut Parameters) -> Result<ArrayRef, ContractError>;

    /// Reads the payload without copying what Arrow can share; takes its own keys out of the metadata.
    ///
    /// # Errors
    /// Named: wrong type, missing key, size mismatch.
    fn read(array: &ArrayRef, parameters: &mut Parameters) -> Result<Self, ContractError>;

    /// (width, height) of the source picture, where the payload itself tells: for pictures of foreign nodes.
    fn source_size(&self) -> Option<(u32, u32)> {
        None
    }
}

/// Why an item has no result: carried to the sink beside the identity (`error`, `failed_in`), without payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The node that gave up on it.
    pub node: String,
    /// What was wrong and what to do, for people.
    pub error: String,
}

/// What travels along an edge: an item, or the news that it failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<P> {
    /// An item and its payload.
    Item(Identity, P),
    /// An item that no node downstream can do anything for; passed on to the sink.
    Failed(Identity, Failure),
}

impl<P: Payload> Message<P> {
    /// Metadata and payload, as `send_output` takes them.
    ///
    /// # Errors
    /// As [`Payload::write`].
    pub fn encode(&self) -> Result<(Parameters, ArrayRef), ContractError> {
        match self {
            Self::Item(identity, payload) => {
                let mut parameters = identity.to_parameters();
                let array = payload.write(&mut parameters)?;
                Ok((parameters, array))
            }
            Self::Failed(identity, failure) => {
                let nothing = UInt8Array::from(Vec::<u8>::new());
                Ok((identity.enveloped(Some(failure)), Arc::new(nothing)))
            }
        }
    }

    /// Reads a message. `foreign`: what it is called if it comes from a foreign node, without identity.
    ///
    /// # Errors
    /// As [`Payload::read`] and [`Identity::from_parameters`].
    pub fn decode<'a>(
        array: &ArrayRef,
        parameters: &Parameters,
        foreign: impl Into<ForeignName<'a>>,
    ) -> Result<Self, ContractError> {
        let mut rest = parameters.clone();
        let mut envelope = Envelope::take(&mut rest)?;
        if let Some(error) = envelope.as_mut().and_then(|envelope| envelope.error.take()) {
            let node = envelope
                .as_mut()
                .and_then(|envelope| envelope.failed_in.take());
            // A source that could not read a picture does not know its size.
            let identity = Identity::opened(envelope, rest, foreign.into(), Some((1, 1)))?;
            let node = node.unwrap_or_default();
            return Ok(Self::Failed(identity, Failure { node, error }));
        }
        let payload = P::read(array, &mut rest)?;
        let identity = Identity::opened(envelope, rest, foreign.into(), payload.source_size())?;
        Ok(Self::Item(identity, payload))
    }

    /// The item that this speaks of.
    pub fn identity(&self) -> &Identity {
        match self {
            Self::Item(identity, _) | Self::Failed(identity, _) => identity,
        }
    }
}
