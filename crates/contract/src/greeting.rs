use serde::{Deserialize, Serialize};

use crate::{Parameter, Parameters, envelope::KEY};

/// A message that is no item: a source sends it once round the loop to learn whether all nodes are there and what came
/// before it has arrived. It has no payload; every node passes it on as it is, behind everything that it received earlier.
/// In the metadata: JSON `{"greeting": 7}` under the key `seggpt`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Counts the sender's greetings; 0 where a node that was started again sends one by itself.
    #[serde(rename = "greeting")]
    pub number: u64,
    /// The node that was started again: what it had not sent on is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted: Option<String>,
    /// A node that died, said by the one behind it: what it had not sent on is lost, and so is what it is sent until it is
    /// back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
}

impl Greeting {
    /// The metadata that carries it; there is no payload.
    pub fn to_parameters(&self) -> Parameters {
        let text = serde_json::to_string(self).expect("texts and numbers serialise");
        Parameters::from([(KEY.into(), Parameter::String(text))])
    }

    /// Reads a greeting; `None` for every other message.
    pub fn from_parameters(parameters: &Parameters) -> Option<Self> {
        match parameters.get(KEY)? {
            Parameter::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Identity;

    #[test]
    fn a_greeting_is_told_from_an_item() {
        let greeting = Greeting {
            number: 7,
            ..Greeting::default()
        };
        let parameters = greeting.to_parameters();
        assert_eq!(Greeting::from_parameters(&parameters), Some(greeting));
        assert!(Identity::from_parameters(&parameters, 0, Some((1, 1))).is_err());
        let item = Identity::new("greeting", 0, (1, 1)).to_parameters();
        assert_eq!(Greeting::from_parameters(&item), None);
        assert_eq!(Greeting::from_parameters(&Parameters::new()), None);
    }
}
