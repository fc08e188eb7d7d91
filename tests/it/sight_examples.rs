//! The output of the example `top`.

use crate::examples::printed;

#[test]
fn top_shows_each_task_at_its_line_and_ends_by_itself() {
    let lines = printed("top", "0.02");
    let views: Vec<&[String]> = lines.split(String::is_empty).collect();
    let [first, second, third, rest] = views[..] else {
        panic!("not three views: {lines:#?}");
    };
    assert!(rest.is_empty(), "{rest:#?}");
    for view in [first, second, third] {
        assert!(view[0].contains(" tasks, "), "{view:#?}");
        assert!(view[1].starts_with(" ID  NAME "), "{view:#?}");
        let clock = row(view, "clock");
        let sleeps = format!(
            "examples/top.rs:{}:",
            line_with("yield_from!(sleep(seconds(60.0)))")
        );
        assert!(clock.contains(&sleeps), "{clock}");
        assert!(clock.contains("a timer, due in "), "{clock}");
    }
    // The guests have connected and said their names by then, unless the machine is very slow.
    let all = third.join("\n");
    assert!(all.contains("ann, outside"), "{all}");
}

fn row<'a>(view: &'a [String], name: &str) -> &'a str {
    let is_wanted = |row: &&String| row.split_whitespace().nth(1) == Some(name);
    let row = view.iter().find(is_wanted);
    row.unwrap_or_else(|| panic!("no {name} in {view:#?}"))
}

fn line_with(text: &str) -> usize {
    let source = include_str!("../../examples/top.rs");
    let at = source.lines().position(|line| line.contains(text));
    at.expect("the example has that line") + 1
}
