//! A node's ports and parameters as data: manifest, README and reference page are made from it, so that they cannot drift.

use std::fmt::Write;

use clap::Command;

/// An input or output.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// Its name in the dataflow.
    pub name: &'static str,
    /// Its type, as `Payload::URN`.
    pub urn: &'static str,
    /// Whether a dataflow must wire it; outputs never must.
    pub required: bool,
    /// One sentence.
    pub description: &'static str,
}

/// What there is to know of a node.
pub struct Manual {
    /// Folder, crate, binary and manifest are called so.
    pub name: &'static str,
    /// A category of dora's hub.
    pub category: &'static str,
    /// What it reads.
    pub inputs: &'static [Port],
    /// What it sends.
    pub outputs: &'static [Port],
    /// Its settings: `about` and `long_about` describe the node, every argument has an environment variable.
    pub command: Command,
}

struct Setting {
    variable: String,
    kind: &'static str,
    default: String,
    range: String,
    help: String,
}

impl Manual {
    fn settings(&self) -> Vec<Setting> {
        let mut settings: Vec<_> = self
            .command
            .get_arguments()
            .filter_map(|argument| {
                let kind = match argument.get_action() {
                    clap::ArgAction::SetTrue => "bool",
                    _ => kind_of(&format!("{:?}", argument.get_value_parser())),
                };
                let values = argument
                    .get_possible_values()
                    .iter()
                    .map(|v| format!("`{}`", v.get_name()))
                    .collect::<Vec<_>>();
                Some(Setting {
                    variable: argument.get_env()?.to_string_lossy().into_owned(),
                    kind,
                    default: argument
                        .get_default_values()
                        .iter()
                        .map(|v| v.to_string_lossy())
                        .collect::<Vec<_>>()
                        .join(" "),
                    range: if kind == "bool" {
                        String::new()
                    } else {
                        values.join(", ")
                    },
                    help: argument
                        .get_long_help()
                        .or(argument.get_help())
                        .map(|h| sentence(&h.to_string()))
                        .unwrap_or_default(),
                })
            })
            .collect();
        settings.sort_by(|a, b| a.variable.cmp(&b.variable));
        settings
    }

    /// The text of `dora-node.yml` (dora's node manifest, version 1).
    pub fn manifest(&self) -> String {
        let quote = |text: &str| serde_json::Value::from(text).to_string();
        let about = self
            .command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut out = format!(
            "# Made from the node's code by `make docs`; do not edit.\napiVersion: 1\nname: {name}\nnamespace: seggpt\ndescription: {about}\ncategories: [{category}]\nkeywords: [vision, segmentation, seggpt, in-context]\nruntime: rust\nentrypoint: target/release/{name}\nbuild: cargo build --release --target-dir target --package {name}\ndora: \">=1.1, <2\"\n",
            name = self.name,
            category = self.category,
            about = quote(&about),
        );
        for (title, ports, is_input) in [
            ("inputs", self.inputs, true),
            ("outputs", self.outputs, false),
        ] {
            if !ports.is_empty() {
                let _ = writeln!(out, "{title}:");
            }
            for port in ports {
                let _ = writeln!(out, "  {}:\n    type: {}", port.name, port.urn);
                if is_input {
                    let _ = writeln!(out, "    required: {}", port.required);
                }
                let _ = writeln!(out, "    description: {}", quote(port.description));
            }
        }
        let settings = self.settings();
        if !settings.is_empty() {
            out.push_str("env:\n");
        }
        for setting in settings {
            let _ = writeln!(out, "  {}:\n    type: {}", setting.variable, setting.kind);
            if !setting.default.is_empty() {
                let default = if setting.kind == "string" {
                    quote(&setting.default)
                } else {
                    setting.default.clone()
                };
                let _ = writeln!(out, "    default: {default}");
            }
            let _ = writeln!(out, "    description: {}", quote(&setting.help));
        }
        out
    }

    /// The text of the node's README: what it does, Subscribed, Published, Parameters.
    pub fn readme(&self) -> String {
        let about = self
            .command
            .get_long_about()
            .or(self.command.get_about())
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut out = format!("# {}\n\n{about}\n", self.name);
        for (title, ports, is_input) in [
            ("Subscribed", self.inputs, true),
            ("Published", self.outputs, false),
        ] {
            if ports.is_empty() {
                continue;
            }
            let _ = writeln!(
                out,
                "\n## {title}\n\n| {} | type | |\n|---|---|---|",
                if is_input { "input" } else { "output" }
            );
            for port in ports {
                let optional = if is_input && !port.required {
                    " Optional."
                } else {
                    ""
                };
                let _ = writeln!(
                    out,
                    "| `{}` | `{}` | {}{optional} |",
                    port.name, port.urn, port.description
                );
            }
        }
        let settings = self.settings();
        if !settings.is_empty() {
            out.push_str("\n## Parameters\n\nSet under `env:` in the dataflow.\n\n| variable | type | default | |\n|---|---|---|---|\n");
        }
        for Setting {
            variable,
            kind,
            default,
            range,
            help,
        } in settings
        {
            let default = if default.is_empty() {
                String::new()
            } else {
                format!("`{default}`")
            };
            let range = if range.is_empty() {
                String::new()
            } else {
                format!(" One of {range}.")
            };
            let _ = writeln!(
                out,
                "| `{variable}` | {kind} | {default} | {}{range} |",
                help.replace('|', "\\|")
            );
        }
        out
    }
}

/// One line, with the full stop that clap takes away.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.').replace('\n', " "))
}

/// dora's four kinds of values, from the name of clap's value parser.
fn kind_of(parser: &str) -> &'static str {
    let is = |names: &[&str]| names.iter().any(|name| parser.contains(name));
    if is(&["bool", "Bool"]) {
        "bool"
    } else if is(&["f32", "f64"]) {
        "float"
    } else if is(&[
        "RangedI64",
        "RangedU64",
        "u8",
        "u16",
        "u32",
        "u64",
        "usize",
        "i64",
    ]) {
        "int"
    } else {
        "string"
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, CommandFactory, Parser, ValueEnum};

    use super::*;

    /// Does nothing
    ///
    /// And says so at length.
    #[derive(Parser)]
    #[allow(dead_code)]
    struct Settings {
        /// How many, 1 to 9
        #[arg(long, env = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=9))]
        count: u8,
        /// How | strong
        #[arg(long, env = "STRENGTH", default_value_t = 0.5)]
        strength: f32,
        /// Whether at all
        #[arg(long, env = "ENABLED", default_value_t = true, action = clap::ArgAction::Set)]
        enabled: bool,
        /// In which way
        #[arg(long, env = "WAY", default_value = "slow")]
        way: Way,
        #[command(flatten)]
        more: More,
    }

    #[derive(Args)]
    struct More {
        /// Where to
        #[arg(long, env = "OUT")]
        out: std::path::PathBuf,
        /// Not for dataflows
        #[arg(long)]
        hidden: bool,
    }

    #[derive(Clone, ValueEnum)]
    enum Way {
        Slow,
        Fast,
    }

    fn manual() -> Manual {
        let port = |name, required| Port {
            name,
            urn: "seggpt/flow/v1/Image",
            required,
            description: "A picture.",
        };
        Manual {
            name: "seggpt-nothing",
            category: "vision",
            inputs: Box::leak(Box::new([port("image", true), port("extra", false)])),
            outputs: Box::leak(Box::new([port("picture", false)])),
            command: Settings::command(),
        }
    }

    #[test]
    fn the_manifest_tells_ports_and_settings_with_type_and_default() {
        let manifest = manual().manifest();
        for part in [
            "name: seggpt-nothing\n",
            "description: \"Does nothing\"\n",
            "inputs:\n  image:\n    type: seggpt/flow/v1/Image\n    required: true\n    description: \"A picture.\"\n  extra:",
            "outputs:\n  picture:\n    type: seggpt/flow/v1/Image\n    description",
            "  COUNT:\n    type: int\n    default: 4\n    description: \"How many, 1 to 9.\"\n",
            "  STRENGTH:\n    type: float\n    default: 0.5\n",
            "  ENABLED:\n    type: bool\n    default: true\n",
            "  WAY:\n    type: string\n    default: \"slow\"\n",
            "  OUT:\n    type: string\n    description: \"Where to.\"\n",
        ] {
            assert!(manifest.contains(part), "{part}\nis not in\n{manifest}");
        }
        assert!(!manifest.contains("hidden"));
    }

    #[test]
    fn the_readme_has_a_table_of_each_kind() {
        let readme = manual().readme();
        for part in [
            "# seggpt-nothing\n\nDoes nothing\n\nAnd says so at length",
            "## Subscribed\n",
            "| `extra` | `seggpt/flow/v1/Image` | A picture. Optional. |",
            "## Published\n",
            "| `STRENGTH` | float | `0.5` | How \\| strong. |",
            "| `WAY` | string | `slow` | In which way. One of `slow`, `fast`. |",
        ] {
            assert!(readme.contains(part), "{part}\nis not in\n{readme}");
        }
    }
}
