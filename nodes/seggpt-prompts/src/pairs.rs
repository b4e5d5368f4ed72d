use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Examples as (image, mask), one `image=mask` a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs(pub Vec<(PathBuf, PathBuf)>);

impl FromStr for Pairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        seggpt_files::text::lines(text)
            .map(pair)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Splits `image=mask`. File names may hold a `=` themselves: the one that leaves two files is meant, else the first.
///
/// # Errors
/// There is none.
pub fn pair(line: &str) -> Result<(PathBuf, PathBuf), String> {
    let splits = line
        .match_indices('=')
        .map(|(at, _)| (Path::new(&line[..at]), Path::new(&line[at + 1..])));
    let files = splits
        .clone()
        .find(|(image, mask)| image.exists() && mask.is_file());
    match files.or(splits.clone().next()) {
        Some((image, mask)) => Ok((image.to_owned(), mask.to_owned())),
        None => Err(format!("`{line}` has no `=` between image and mask")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_line_is_a_pair() {
        let Pairs(pairs) = "a.png=a_mask.png\n\nb c.png=flight 7 /b.png\n"
            .parse()
            .unwrap();
        assert_eq!(
            pairs,
            [
                ("a.png".into(), "a_mask.png".into()),
                ("b c.png".into(), "flight 7 /b.png".into()),
            ]
        );
        assert!("a.png".parse::<Pairs>().unwrap_err().contains("no `=`"));
    }

    #[test]
    fn a_file_name_may_hold_the_sign_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (image, mask) = (folder.path().join("x=1.png"), folder.path().join("m.png"));
        std::fs::write(&image, "").unwrap();
        std::fs::write(&mask, "").unwrap();
        let line = format!("{}={}", image.display(), mask.display());
        assert_eq!(line.parse(), Ok(Pairs(vec![(image, mask)])));
    }
}
