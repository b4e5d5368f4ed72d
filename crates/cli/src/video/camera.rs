//! What `--camera` names.

use std::{path::Path, str::FromStr};

/// A camera of a dataflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Camera {
    /// A dora node, by name or path.
    Node(String),
    /// A number, a device or a URL, which [`CAPTURE`] opens.
    Capture(String),
}

/// dora-hub's camera node (`pip install opencv-video-capture`).
pub const CAPTURE: &str = "opencv-video-capture";

impl FromStr for Camera {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_place = text.contains("://") || text.starts_with("/dev/");
        Ok(match !text.is_empty() && is_number || is_place {
            true => Self::Capture(text.to_owned()),
            false => Self::Node(text.to_owned()),
        })
    }
}

impl Camera {
    /// The node's `path:`, as YAML; that of a file is absolute.
    pub(super) fn path(&self) -> String {
        let path = match self {
            Self::Node(node) if Path::new(node).exists() => std::path::absolute(node)
                .map_or_else(|_| node.clone(), |path| path.display().to_string()),
            Self::Node(node) => node.clone(),
            Self::Capture(_) => CAPTURE.to_owned(),
        };
        serde_json::Value::from(path).to_string()
    }

    /// What the node is told.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            // Without CI it opens windows when something is wrong.
            Self::Capture(place) => {
                vec![("CAPTURE_PATH", place.clone()), ("ENCODING", "bgr8".into())]
            }
            Self::Node(_) => vec![("ENCODING", "bgr8".into())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_devices_and_urls_are_opened_and_all_else_is_a_node() {
        let of = |text: &str| text.parse::<Camera>();
        for place in ["0", "/dev/v4l/by-id/usb-x", "rtsp://a/b", "http://a/b"] {
            assert_eq!(of(place), Ok(Camera::Capture(place.into())));
        }
        for node in ["dora-openarm-dummy-camera", "./camera.py", "camera2"] {
            assert_eq!(of(node), Ok(Camera::Node(node.into())));
        }
    }
}
