//! What options and values were called in earlier versions. The old names are accepted, hidden from help, and whoever uses
//! one is told the new one.

use std::ffi::OsString;

use seggpt_node::renamed::{self, warning};

/// Options: the command, the old name and the new one.
const OPTIONS: [(&str, &str, &str); 6] = [
    ("eval", "--every", "--stride"),
    ("eval", "--skip", "--offset"),
    ("eval", "--side", "--eval-size"),
    ("eval", "--cut", "--threshold"),
    ("segment", "--at-once", "--batch"),
    ("segment", "--painted", "--raw"),
];

/// Values: the option, the old value and the new one.
const VALUES: [(&str, &str, &str); 1] = [("--refine", "pixels", "forest")];

/// The command line with what variables of old names say, where it is a node's; and what to say of old names.
pub(crate) fn translated(mut words: Vec<OsString>) -> (Vec<OsString>, Vec<String>) {
    let mut warnings = of_options(&words);
    if let Some(node) = crate::node::of(&words) {
        let (arguments, more) = renamed::arguments(&node);
        words.extend(arguments);
        warnings.extend(more);
    }
    (words, warnings)
}

fn of_options(words: &[OsString]) -> Vec<String> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let (Some(command), Some(rest)) = (words.get(1), words.get(2..)) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let mut before = "";
    for word in rest.iter().take_while(|word| *word != "--") {
        let (option, value) = match word.split_once('=') {
            Some(split) if word.starts_with("--") => split,
            _ => (&**word, ""),
        };
        let own = OPTIONS.iter().filter(|(of, ..)| command == of);
        let renamed = own.filter(|(_, old, _)| *old == option);
        warnings.extend(renamed.map(|(_, old, new)| warning(old, new)));
        let (option, value) = match value.is_empty() {
            true => (before, &**word),
            false => (option, value),
        };
        for (of, old, new) in VALUES {
            if of == option && value.split(',').any(|part| part == old) {
                warnings.push(warning(&format!("{of} {old}"), &format!("{of} {new}")));
            }
        }
        before = word;
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<String> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        of_options(&words)
    }

    #[test]
    fn an_old_option_or_value_is_named_with_the_new_one_once() {
        let said = of("seggpt eval --every 8 --cut=0.3 --refine none,pixels set");
        assert_eq!(
            said,
            [
                "`--every` is called `--stride` now; the old name will go",
                "`--cut` is called `--threshold` now; the old name will go",
                "`--refine pixels` is called `--refine forest` now; the old name will go",
            ]
        );
        assert_eq!(of("seggpt segment --refine=pixels in").len(), 1);
    }

    #[test]
    fn other_commands_values_and_files_are_left_alone() {
        assert!(of("seggpt segment --every 8 --out pixels -- --at-once").is_empty());
        assert!(of("seggpt").is_empty());
    }
}
