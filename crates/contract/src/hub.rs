use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use crate::{Identity, Mask, Parameter, Parameters, parameters::integer};

/// A mask in the dialect that dora-hub's viewers take: `Boolean` of N x H x W, one plane a class (or an instance, where
/// there are instances), with `primitive: masks`, `width`, `height` and `labels` beside the identity.
pub fn hub_masks(identity: &Identity, mask: &Mask) -> (Parameters, ArrayRef) {
    let name_of = |id: u16| {
        mask.classes
            .iter()
            .find(|c| c.class.id == id)
            .map_or_else(|| id.to_string(), |c| c.class.name.clone())
    };
    let (planes, labels): (BooleanArray, Vec<String>) = match &mask.instances {
        Some(instances) => {
            let planes = (1..=instances.table.len())
                .flat_map(|n| instances.map.iter().map(move |&at| usize::from(at) == n));
            (
                planes.map(Some).collect(),
                instances.table.iter().map(|i| name_of(i.class)).collect(),
            )
        }
        None => {
            let planes = mask
                .classes
                .iter()
                .flat_map(|c| mask.ids.iter().map(move |id| id == c.class.id));
            (
                planes.map(Some).collect(),
                mask.classes.iter().map(|c| c.class.name.clone()).collect(),
            )
        }
    };
    let mut parameters = identity.to_parameters();
    let mut put = |key: &str, value| parameters.insert(key.to_owned(), value);
    put("primitive", Parameter::String("masks".into()));
    put("width", integer(mask.width.into()));
    put("height", integer(mask.height.into()));
    put("labels", Parameter::ListString(labels));
    (parameters, Arc::new(planes))
}
