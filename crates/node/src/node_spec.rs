//! A node's ports and parameters as data: manifest, README and reference page are made from it, so that they cannot drift.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt::Write,
    path::Path,
};

use clap::{Command, Parser};
use eyre::Result;

/// Heading of settings that decide what comes out.
pub const RESULTS: &str = "Decides results";
/// Heading of settings that decide how fast it goes, and how much memory it takes.
pub const SPEED: &str = "Speed and memory";
/// Heading of settings that say where things are.
pub const PLACES: &str = "Files and places";

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
#[derive(Debug)]
pub struct NodeSpec {
    /// Folder, crate, program and manifest are called so.
    pub name: &'static str,
    /// A category of dora's hub.
    pub category: &'static str,
    /// What it reads.
    pub inputs: &'static [Port],
    /// What it sends.
    pub outputs: &'static [Port],
    /// Its settings: `about` and `long_about` describe the node, every argument has an environment variable, and a heading
    /// that says what it decides: [`RESULTS`], [`SPEED`] or [`PLACES`].
    pub command: Command,
    /// What lies behind the settings and decides results, by name, such as a checkpoint's hash; relative paths start in the
    /// folder that is given.
    pub content: Option<fn(&Values, &Path) -> Result<Values>>,
    /// What can be told to be wrong with the files behind the settings before anything starts; relative paths start in the
    /// folder that is given.
    pub check: Option<fn(&Values, &Path) -> Result<()>>,
    /// The setting that names a folder of results, which belongs to one run at a time.
    pub owns: Option<&'static str>,
}

/// Settings by environment variable, as text.
pub type Values = BTreeMap<String, String>;

/// A node's settings from their text; nothing is taken from the environment of this process.
///
/// # Errors
/// A value that the node would refuse, or one that is missing.
pub fn parsed<S: Parser>(values: &Values) -> Result<S> {
    let command = S::command();
    let mut words = vec![OsString::from(command.get_name())];
    for argument in command.get_arguments() {
        if let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long())
            && let Some(value) = values.get(&*variable.to_string_lossy())
        {
            words.push(format!("--{long}={value}").into());
        }
    }
    let command = command.mut_args(|argument| argument.env(None));
    Ok(S::from_arg_matches(&command.try_get_matches_from(words)?)?)
}

struct Setting {
    variable: String,
    decides: String,
    kind: &'static str,
    default: String,
    range: String,
    help: String,
}

impl NodeSpec {
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
                    decides: argument.get_help_heading().unwrap_or_default().to_owned(),
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

    /// The environment variables that it reads.
    pub fn variables(&self) -> BTreeSet<String> {
        let settings = self.settings().into_iter();
        settings.map(|setting| setting.variable).collect()
    }

    /// The variables under a heading.
    pub fn deciding(&self, heading: &str) -> BTreeSet<String> {
        let settings = self.settings().into_iter();
        settings
            .filter(|setting| setting.decides == heading)
            .map(|setting| setting.variable)
            .collect()
    }

    /// The settings in force where these variables are set: those that are not have their default, or are absent.
    /// Nothing is taken from the environment of this process.
    ///
    /// # Errors
    /// A value that the node would refuse, or one that is missing: the text of the refusal.
    pub fn in_force(&self, set: &Values) -> Result<Values, String> {
        let mut words = vec![OsString::from(self.name)];
        let mut variables = BTreeMap::new();
        for argument in self.command.get_arguments() {
            let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long()) else {
                continue;
            };
            let variable = variable.to_string_lossy().into_owned();
            if let Some(value) = set.get(&variable) {
                words.push(format!("--{long}={value}").into());
            }
            variables.insert(
                variable,
                (argument.get_id().clone(), argument.get_value_delimiter()),
            );
        }
        let command = self.command.clone().mut_args(|argument| argument.env(None));
        let matches = command
            .try_get_matches_from(words)
            .map_err(|error| refusal(&error, &variables))?;
        let value = |(variable, (id, delimiter)): (String, (clap::Id, Option<char>))| {
            let raw = matches.get_raw(id.as_str())?;
            let parts: Vec<_> = raw.map(|part| part.to_string_lossy()).collect();
            Some((variable, parts.join(&delimiter.unwrap_or('\n').to_string())))
        };
        Ok(variables.into_iter().filter_map(value).collect())
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
            "# Made from the node's code by `make docs`; do not edit.\napiVersion: 1\nname: {name}\nnamespace: seggpt\ndescription: {about}\ncategories: [{category}]\nkeywords: [vision, segmentation, seggpt, in-context]\nruntime: rust\nentrypoint: target/release/{name}\nbuild: cargo build --release --target-dir target --package {name} --features program\ndora: \">=1.1, <2\"\n",
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
            out.push_str("\n## Parameters\n\nSet under `env:` in the dataflow. Another value of what *decides results* makes another run.\n\n| variable | type | default | | |\n|---|---|---|---|---|\n");
        }
        for Setting {
            variable,
            decides,
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
                "| `{variable}` | {kind} | {default} | {}{range} | {} |",
                help.replace('|', "\\|"),
                decides.to_lowercase()
            );
        }
        out
    }
}

/// What clap says of a value, with the variable's name instead of the option's, and without the usage.
fn refusal(error: &clap::Error, variables: &BTreeMap<String, (clap::Id, Option<char>)>) -> String {
    let text = error.to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let mut text = text.trim_start_matches("error: ").trim().to_owned();
    for (variable, (id, _)) in variables {
        let long = format!("--{}", id.as_str().replace('_', "-"));
        for end in [" ", "'"] {
            text = text.replace(&format!("{long}{end}"), &format!("{variable}{end}"));
        }
    }
    text
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
#[allow(clippy::unwrap_used)]
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

    fn node_spec() -> NodeSpec {
        let port = |name, required| Port {
            name,
            urn: "seggpt/flow/v1/Image",
            required,
            description: "A picture.",
        };
        NodeSpec {
            name: "seggpt-nothing",
            category: "vision",
            inputs: Box::leak(Box::new([port("image", true), port("extra", false)])),
            outputs: Box::leak(Box::new([port("picture", false)])),
            command: Settings::command(),
            content: None,
            check: None,
            owns: None,
        }
    }

    fn values(pairs: &[(&str, &str)]) -> Values {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn the_settings_in_force_are_those_that_are_set_and_the_defaults() {
        let set = values(&[("COUNT", "5"), ("OUT", "a=b c"), ("ELSEWHERE", "1")]);
        let expected = [
            ("COUNT", "5"),
            ("ENABLED", "true"),
            ("OUT", "a=b c"),
            ("STRENGTH", "0.5"),
            ("WAY", "slow"),
        ];
        assert_eq!(node_spec().in_force(&set).unwrap(), values(&expected));
    }

    #[test]
    fn a_value_that_the_node_would_refuse_is_told_by_its_variable() {
        let refused = |pairs: &[(&str, &str)]| node_spec().in_force(&values(pairs)).unwrap_err();
        let text = refused(&[("COUNT", "10"), ("OUT", "x")]);
        assert!(
            text.contains("COUNT") && text.contains("10 is not in 1..=9"),
            "{text}"
        );
        let text = refused(&[("WAY", "slwo"), ("OUT", "x")]);
        assert!(text.contains("WAY") && text.contains("slow"), "{text}");
        let text = refused(&[]);
        assert!(text.contains("required") && text.contains("OUT"), "{text}");
    }

    #[test]
    fn the_manifest_tells_ports_and_settings_with_type_and_default() {
        let manifest = node_spec().manifest();
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
        let readme = node_spec().readme();
        for part in [
            "# seggpt-nothing\n\nDoes nothing\n\nAnd says so at length",
            "## Subscribed\n",
            "| `extra` | `seggpt/flow/v1/Image` | A picture. Optional. |",
            "## Published\n",
            "| `STRENGTH` | float | `0.5` | How \\| strong. |  |",
            "| `WAY` | string | `slow` | In which way. One of `slow`, `fast`. |  |",
        ] {
            assert!(readme.contains(part), "{part}\nis not in\n{readme}");
        }
    }
}
