//! A `Script`: the decisions of a simulation that are not the plainest, as a map and as text.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::series::Series;

/// What a decision is about; the kinds are listed from the plainest to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChoiceKind {
    /// How late a task or callout runs after it has become ready.
    Order,
    /// How long a message or a job takes.
    Delay,
    /// Whether an operation fails.
    Fault,
    /// The test itself has asked.
    User,
}

/// Which decision: the `time`-th of its series, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChoicePlace {
    pub(crate) kind: ChoiceKind,
    pub(crate) series: Series,
    pub(crate) time: u32,
}

/// The decisions that are not the plainest; all others are 0.
///
/// As text it is a list such as `O1f.2=3,F20a.1=1`: kind, series, time and value of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script(BTreeMap<ChoicePlace, u32>);

impl Script {
    /// The value at a place, 0 if the script does not name it.
    pub(crate) fn at(&self, place: ChoicePlace) -> u32 {
        self.0.get(&place).copied().unwrap_or(0)
    }

    /// The script with another value at a place; 0 takes the place out.
    pub(crate) fn with(&self, place: ChoicePlace, value: u32) -> Script {
        let mut script = self.clone();
        match value {
            0 => script.0.remove(&place),
            _ => script.0.insert(place, value),
        };
        script
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ChoicePlace, u32)> + '_ {
        self.0.iter().map(|(place, value)| (*place, *value))
    }
}

impl FromIterator<(ChoicePlace, u32)> for Script {
    fn from_iter<I: IntoIterator<Item = (ChoicePlace, u32)>>(decisions: I) -> Self {
        let odd = decisions.into_iter().filter(|(_, value)| *value != 0);
        Script(odd.collect())
    }
}

impl ChoiceKind {
    fn letter(self) -> char {
        match self {
            ChoiceKind::Order => 'O',
            ChoiceKind::Delay => 'D',
            ChoiceKind::Fault => 'F',
            ChoiceKind::User => 'U',
        }
    }

    fn of_letter(letter: char) -> Option<ChoiceKind> {
        let kinds = [
            ChoiceKind::Order,
            ChoiceKind::Delay,
            ChoiceKind::Fault,
            ChoiceKind::User,
        ];
        kinds.into_iter().find(|kind| kind.letter() == letter)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (place, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let ChoicePlace { kind, series, time } = place;
            write!(f, "{comma}{}{series}.{time}={value}", kind.letter())?;
        }
        Ok(())
    }
}

/// The part of a text that is no decision.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAScript(pub(crate) String);

impl FromStr for Script {
    type Err = NotAScript;

    fn from_str(text: &str) -> Result<Self, NotAScript> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let decisions = parts.map(|part| decision(part).ok_or_else(|| NotAScript(part.to_owned())));
        decisions.collect()
    }
}

fn decision(part: &str) -> Option<(ChoicePlace, u32)> {
    let kind = ChoiceKind::of_letter(part.chars().next()?)?;
    let (series, rest) = part[1..].split_once('.')?;
    let (time, value) = rest.split_once('=')?;
    let place = ChoicePlace {
        kind,
        series: Series::from_number(u32::from_str_radix(series, 16).ok()?),
        time: time.parse().ok()?,
    };
    Some((place, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_as_it_was_written() {
        let text = "O1f.2=3,D0.1=1000,F20a.1=1,Uffffffff.4000000000=7";
        let script: Script = text.parse().unwrap();
        assert_eq!(script.len(), 4);
        assert_eq!(script.to_string(), text);
        assert_eq!("".parse(), Ok(Script::default()));
    }

    #[test]
    fn a_text_that_is_no_script_is_refused_with_the_part_that_is_wrong() {
        for wrong in ["X1.1=1", "O1", "O1.1", "O.1=1", "Og.1=1", "O1.1=-1", "é"] {
            let text = format!("O1.1=1, {wrong}");
            assert_eq!(text.parse::<Script>(), Err(NotAScript(wrong.to_owned())));
        }
    }
}
