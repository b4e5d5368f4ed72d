//! What a live source says each second, as a line for people.

use crate::progress::Fields;

/// `gate: 30.0 frames/s in, 5.1 out; age 240 ms, at most 410; 498 skipped, 0 lost`
pub(crate) fn line(node: &str, fields: &Fields) -> String {
    let text = |key: &str| fields.get(key).map_or("?", String::as_str);
    let state = match text("state") {
        "ok" => String::new(),
        state => format!("{state}; "),
    };
    let age = match (text("age_ms"), text("age_most_ms")) {
        ("0", "0") => String::new(),
        (age, most) => format!("; age {age} ms, at most {most}"),
    };
    format!(
        "{node}: {state}{} frames/s in, {} out{age}; {} skipped, {} lost",
        text("came"),
        text("answered"),
        text("skipped"),
        text("lost"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(state: &str, age: &str) -> Fields {
        let pairs = [
            ("state", state),
            ("came", "30.0"),
            ("answered", "5.1"),
            ("skipped", "498"),
            ("lost", "0"),
            ("age_ms", age),
            ("age_most_ms", age),
        ];
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn a_second_is_a_line() {
        assert_eq!(
            line("gate", &fields("ok", "240")),
            "gate: 30.0 frames/s in, 5.1 out; age 240 ms, at most 240; 498 skipped, 0 lost"
        );
        assert_eq!(
            line("gate", &fields("stale", "0")),
            "gate: stale; 30.0 frames/s in, 5.1 out; 498 skipped, 0 lost"
        );
    }
}
