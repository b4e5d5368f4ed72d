//! `seggpt link`: this program under the names of its nodes, for dataflows that other engines run.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use seggpt_flow::{Diagnostic, Exit};

use crate::{args::LinkArgs, console, nodes};

/// Makes the links, or makes them anew.
///
/// # Errors
/// The folder cannot be written to, or a folder has a node's name.
pub fn command(args: &LinkArgs) -> miette::Result<Exit> {
    let program = env::current_exe()
        .and_then(fs::canonicalize)
        .map_err(|error| Diagnostic::new(format!("cannot tell where this program is: {error}")))?;
    let made = into(&args.folder, &program)?;
    console::result(&format!(
        "{made} links to {} in {}",
        program.display(),
        args.folder.display()
    ));
    Ok(Exit::Done)
}

fn into(folder: &Path, program: &Path) -> Result<usize, Diagnostic> {
    let failed = |path: &Path, error: io::Error| {
        Diagnostic::new(format!("cannot make {}: {error}", path.display()))
            .help("name a folder that you may write to, such as ~/.local/bin")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let folder = fs::canonicalize(folder).map_err(|error| failed(folder, error))?;
    let names = nodes::node_specs()
        .map(|node_spec| format!("{}{}", node_spec.name, env::consts::EXE_SUFFIX));
    for name in &names {
        let place = folder.join(name);
        if place == program {
            return Err(
                Diagnostic::new(format!("{} is this program itself", place.display()))
                    .help("call it seggpt, or name another folder"),
            );
        }
        // In place at once: a run that starts meanwhile finds the old or the new one.
        let part = folder.join(format!(".{name}.part"));
        let _ = fs::remove_file(&part);
        link(&target(&folder, program), &part)
            .and_then(|()| fs::rename(&part, &place))
            .map_err(|error| {
                let _ = fs::remove_file(&part);
                failed(&place, error)
            })?;
    }
    Ok(names.len())
}

/// What a link says: beside the program its name alone, so that both can be moved together.
fn target(folder: &Path, program: &Path) -> PathBuf {
    match program.file_name() {
        Some(name) if program.parent() == Some(folder) => name.into(),
        _ => program.to_owned(),
    }
}

#[cfg(unix)]
fn link(program: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, place)
}

/// Elsewhere links of that kind need rights that few have.
#[cfg(not(unix))]
fn link(program: &Path, place: &Path) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new(""));
    fs::hard_link(folder.join(program), place)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn links_are_made_anew_and_move_with_the_program_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(folder.path()).unwrap();
        let program = home.join("seggpt");
        fs::write(&program, "").unwrap();
        fs::write(home.join("seggpt-infer"), "of an earlier version").unwrap();
        for _ in 0..2 {
            assert_eq!(into(&home, &program).unwrap(), nodes::node_specs().len());
        }
        let said = |folder: &Path| fs::read_link(folder.join("seggpt-infer")).unwrap();
        assert_eq!(said(&home), Path::new("seggpt"));
        let elsewhere = home.join("new/bin");
        into(&elsewhere, &program).unwrap();
        assert_eq!(said(&elsewhere), program);
        let hidden = fs::read_dir(&elsewhere)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some());
        assert_eq!(hidden.count(), 0, "something half made is left");
    }

    #[test]
    fn neither_a_folder_nor_the_program_itself_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(folder.path()).unwrap();
        let program = home.join("seggpt-infer");
        fs::write(&program, "").unwrap();
        let error = into(&home, &program).unwrap_err().to_string();
        assert!(error.contains("this program itself"), "{error}");
        let other = home.join("other");
        fs::create_dir_all(other.join("seggpt-prompts/x")).unwrap();
        let error = into(&other, &program).unwrap_err().to_string();
        assert!(error.contains("seggpt-prompts"), "{error}");
    }
}
