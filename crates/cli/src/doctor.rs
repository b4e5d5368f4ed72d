//! `seggpt doctor`: what is there, what is missing, and the fix.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use seggpt::{DeviceChoice, MODELS_VARIABLE};

use seggpt_flow::{Exit, shm};

use crate::{
    console::{self, grouped},
    nodes,
};

/// One line of the report.
struct Finding {
    level: Level,
    what: &'static str,
    text: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// There.
    Good,
    /// Not there, and nothing here needs it.
    Optional,
    /// Missing.
    Bad,
}

/// Looks around and prints what it finds; [`Exit::SomeFailed`] if something is missing.
pub fn command() -> Exit {
    let findings: Vec<_> = [
        versions(),
        vec![processor(), number_types()],
        devices(),
        vec![good(
            "nodes",
            format!("all {} in this program", nodes::node_specs().len()),
        )],
        models(),
        vec![shared_memory()],
        optional(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for finding in &findings {
        console::result(&line(finding));
    }
    let bad = findings
        .iter()
        .filter(|finding| finding.level == Level::Bad)
        .count();
    console::result(&match bad {
        0 => "\nall that is needed is there".to_owned(),
        1 => "\n1 thing is missing; its fix stands behind `->`".to_owned(),
        count => format!("\n{count} things are missing; their fixes stand behind `->`"),
    });
    if bad == 0 {
        Exit::Done
    } else {
        Exit::SomeFailed
    }
}

fn line(finding: &Finding) -> String {
    let mark = match finding.level {
        Level::Good => "ok ",
        Level::Optional => " - ",
        Level::Bad => "NO ",
    };
    let fix = finding
        .fix
        .as_ref()
        .map(|fix| format!("\n                       -> {fix}"))
        .unwrap_or_default();
    format!("{mark} {:<18} {}{fix}", finding.what, finding.text)
}

fn good(what: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        level: Level::Good,
        what,
        text: text.into(),
        fix: None,
    }
}

fn optional_without(
    what: &'static str,
    text: impl Into<String>,
    fix: impl Into<String>,
) -> Finding {
    Finding {
        level: Level::Optional,
        what,
        text: text.into(),
        fix: Some(fix.into()),
    }
}

fn bad(what: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        level: Level::Bad,
        what,
        text: text.into(),
        fix: Some(fix.into()),
    }
}

fn versions() -> Vec<Finding> {
    vec![
        good(
            "seggpt",
            format!(
                "{}, for {} {}",
                env!("CARGO_PKG_VERSION"),
                env::consts::OS,
                env::consts::ARCH
            ),
        ),
        good(
            "dora engine",
            format!("{}, built in", dora_message::VERSION),
        ),
    ]
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let features = processor_features();
    let features = if features.is_empty() {
        "no vector extensions known here".to_owned()
    } else {
        features.join(" ")
    };
    good("processor", format!("{cores} threads; {features}"))
}

/// How fast the network's number types are on this processor.
fn number_types() -> Finding {
    let isa = seggpt::Isa::detect();
    let own = |has: bool| {
        if has {
            "own instructions"
        } else {
            "smaller, widened to be multiplied"
        }
    };
    good(
        "number types",
        format!(
            "f32 on {}; bf16: {}; int8: {}",
            isa.name(),
            own(isa.has_bf16()),
            own(isa.has_bytes())
        ),
    )
}

#[cfg(target_arch = "x86_64")]
fn processor_features() -> Vec<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    let all = [
        ("avx2", has!("avx2")),
        ("fma", has!("fma")),
        ("f16c", has!("f16c")),
        ("avx512f", has!("avx512f")),
        ("avx512bf16", has!("avx512bf16")),
    ];
    all.into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_features() -> Vec<&'static str> {
    if cfg!(target_arch = "aarch64") {
        vec!["neon"]
    } else {
        Vec::new()
    }
}

fn devices() -> Vec<Finding> {
    let mut found = vec![good("device cpu", cpu_backend())];
    let gpus = [
        (
            "device cuda",
            DeviceChoice::Cuda(0),
            cfg!(feature = "cuda"),
            "`make cuda` builds a `seggpt` with it: docs/cuda.md",
        ),
        (
            "device metal",
            DeviceChoice::Metal,
            cfg!(feature = "metal"),
            "cargo build --release -p seggpt-cli --features metal",
        ),
    ];
    for (what, device, built, remedy) in gpus {
        found.push(match (built, device.open()) {
            (true, Ok(_)) => good(what, "there"),
            (true, Err(error)) => bad(
                what,
                format!("built in, but it does not open: {error}"),
                "look at the driver, or use --device cpu",
            ),
            (false, _) => optional_without(what, "not built in", remedy),
        });
    }
    found
}

fn cpu_backend() -> &'static str {
    if cfg!(feature = "mkl") {
        "there, with MKL"
    } else if cfg!(feature = "accelerate") {
        "there, with Accelerate"
    } else {
        "there"
    }
}

fn models() -> Vec<Finding> {
    let default = match seggpt::find_model("default") {
        Ok(path) => path,
        Err(error) => {
            let fix = format!(
                "name a model file as --model, or put one as NAME/model.safetensors into a folder that ${MODELS_VARIABLE} names"
            );
            return vec![bad("models", error.to_string(), fix)];
        }
    };
    if seggpt::builtin_name(&default).is_some() {
        return vec![model(&default, true)];
    }
    let folder = default.parent().map(Path::to_owned).unwrap_or_default();
    let mut all: Vec<PathBuf> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    all.retain(|path| path.join("model.safetensors").is_file());
    all.sort();
    all.iter()
        .map(|path| model(path, *path == default))
        .collect()
}

fn model(path: &Path, is_default: bool) -> Finding {
    let name = path.file_name().unwrap_or_default().display();
    match seggpt::inspect(path) {
        Ok(found) => {
            let trained = if seggpt::Card::beside(&found.path).trained {
                ""
            } else {
                ", UNTRAINED: its masks mean nothing"
            };
            let default = if is_default { ", the default" } else { "" };
            let size = found.architecture.image_size();
            good(
                "model",
                format!(
                    "{name}: {}, {size} x {size}, {} parameters, {}{default}{trained}",
                    found.family,
                    grouped(found.parameters as u64),
                    found.dtype
                ),
            )
        }
        Err(error) => bad(
            "model",
            format!("{name}: {error}"),
            "fetch it again, or remove its folder",
        ),
    }
}

/// What the ready-made dataflow asks for.
const POOLS: u64 = (3 * 128 + 64 + 8) << 20;

fn shared_memory() -> Finding {
    match shm::available() {
        None => good("shared memory", "no limit of its own"),
        Some(free) if free >= POOLS => match shm::lockable() {
            Some(limit) if limit < POOLS => optional_without(
                "shared memory",
                format!(
                    "a process may lock {} MB of it, so that large messages of the ready dataflows go the slower way",
                    limit >> 20
                ),
                "ulimit -l unlimited, or --ulimit memlock=-1 for a container",
            ),
            _ => good(
                "shared memory",
                format!("{} MB free in /dev/shm", free >> 20),
            ),
        },
        Some(free) => bad(
            "shared memory",
            format!(
                "{} MB free in /dev/shm, but the ready dataflows ask for {} MB",
                free >> 20,
                POOLS >> 20
            ),
            format!(
                "start the container with --shm-size={}m, or lower shared_memory_pool_size; `seggpt segment` fits itself in",
                (POOLS >> 20) + 64
            ),
        ),
    }
}

/// What other people's nodes and tools may want.
fn optional() -> Vec<Finding> {
    vec![
        stock_dora(),
        match find_on_path("python3").and_then(|python| first_line(&python, &["-c", PYTHON])) {
            Some(found) => good("python nodes", found),
            None => optional_without(
                "python nodes",
                "no Python with dora-rs; only nodes written in Python need it",
                "pip install dora-rs==1.1.0 pyarrow",
            ),
        },
        match find_on_path("opencv-video-capture") {
            Some(path) => good("opencv cameras", path.display().to_string()),
            None => optional_without(
                "opencv cameras",
                "no opencv-video-capture; only live dataflows need it",
                "pip install opencv-video-capture opencv-plot",
            ),
        },
    ]
}

fn stock_dora() -> Finding {
    const WHAT: &str = "stock dora";
    let Some(version) = find_on_path("dora").and_then(|dora| first_line(&dora, &["--version"]))
    else {
        let fix = "pip install dora-rs-cli==1.1.0";
        return optional_without(WHAT, "not on PATH, and not needed", fix);
    };
    let names = nodes::node_specs().map(|node_spec| node_spec.name);
    match names.iter().find(|name| find_on_path(name).is_none()) {
        None => good(
            WHAT,
            format!("{version}; ready dataflows run under it as well"),
        ),
        Some(name) => optional_without(
            WHAT,
            format!("{version}; it would not find {name} on PATH"),
            "`seggpt link DIR`, with DIR on PATH",
        ),
    }
}

const PYTHON: &str = "import sys, importlib.metadata as m; print('Python', sys.version.split()[0] + ', dora-rs', m.version('dora-rs'))";

fn find_on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()
        .map(|line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_its_fix() {
        let text = line(&bad("models", "none", "fetch one"));
        assert!(
            text.starts_with("NO  models") && text.ends_with("-> fetch one"),
            "{text}"
        );
    }

    #[test]
    fn doctor_pools_are_those_of_the_ready_dataflow() {
        use dora_core::descriptor::{Descriptor, DescriptorExt};
        let flow = Descriptor::parse(include_bytes!("../../../dataflows/folder.yml").to_vec())
            .expect("it is a dataflow");
        assert!(shm::wanted(&flow) <= POOLS);
    }
}
