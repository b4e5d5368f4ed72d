//! What lies behind the settings: the checkpoint and its card.

use std::path::Path;

use eyre::Result;
use seggpt::{Card, DTypeChoice, DeviceChoice};
use seggpt_node::Values;

/// The checkpoint's hash, its card, and the number type that is computed with.
pub(crate) fn of(values: &Values, dir: &Path) -> Result<Values> {
    let of = |name: &str| values.get(name).map_or("", String::as_str);
    let beside = dir.join(of("MODEL"));
    let path = match beside.exists() {
        true => beside,
        false => seggpt::find_model(of("MODEL"))?,
    };
    let inspection = seggpt::inspect(&path)?;
    let mut content = Values::from([
        ("model sha256".into(), inspection.sha256),
        (
            "model card".into(),
            format!("{:?}", Card::beside(&inspection.path)),
        ),
    ]);
    // `auto` is another type on another device, and so are the last digits of the answers.
    if let (Ok(DTypeChoice::Auto), Ok(device)) =
        (of("DTYPE").parse(), of("DEVICE").parse::<DeviceChoice>())
        && let Ok(device) = device.open()
    {
        let kind = if device.is_cpu() { "CPU" } else { "GPU" };
        content.insert("number type".into(), format!("auto on a {kind}"));
    }
    Ok(content)
}
