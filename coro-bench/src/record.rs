//! The file of a run: its circumstances, then a row for each reading and a verdict on each goal, as one
//! JSON object a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Role;
use crate::machine;
use crate::package::WORKSPACE;

/// The packages whose versions a reader of the numbers wants to know.
const PACKAGES: &[&str] = &[
    "coro-rs",
    "tokio",
    "async-executor",
    "async-io",
    "async-task",
    "blocking",
    "async-process",
    "async-lock",
    "async-channel",
    "monoio",
    "compio",
    "glommio",
    "futures",
    "local-channel",
    "genawaiter",
    "async-stream",
    "fauxgen",
    "next-gen",
    "corosensei",
];

/// A whole run, read from a file.
pub(crate) struct Record {
    pub(crate) circumstances: Circumstances,
    pub(crate) rows: Vec<Row>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Where, when and with which versions a run was made.
pub(crate) struct Circumstances {
    pub(crate) machine: String,
    pub(crate) system: String,
    pub(crate) compiler: String,
    pub(crate) date: String,
    /// A tenth of the work: not to be quoted.
    pub(crate) quick: bool,
    pub(crate) versions: BTreeMap<String, String>,
}

/// One reading of one subject in one case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) suite: String,
    pub(crate) case: String,
    pub(crate) subject: String,
    pub(crate) role: Role,
    /// The minimum of all samples.
    pub(crate) value: f64,
    pub(crate) median: f64,
    pub(crate) unit: String,
}

/// Whether coro has met one goal of a case, by the minima.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) suite: String,
    /// With the reading, as in a [`Row`].
    pub(crate) case: String,
    pub(crate) goal: String,
    pub(crate) reached: String,
    pub(crate) met: bool,
}

impl Record {
    /// Reads a file that `--json` wrote. The error names the line.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Record::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (mut circumstances, mut rows, mut verdicts) = (None, Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let at = |reason: String| format!("line {}: {reason}", index + 1);
            let value: Value = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
            if value.get("machine").is_some() {
                circumstances = Some(Circumstances::from_json(&value).map_err(at)?);
            } else if value.get("goal").is_some() {
                verdicts.push(Verdict::from_json(&value).map_err(at)?);
            } else {
                rows.push(Row::from_json(&value).map_err(at)?);
            }
        }
        Ok(Record {
            circumstances: circumstances
                .ok_or("no line names the machine; was it written by --json?")?,
            rows,
            verdicts,
        })
    }
}

impl Circumstances {
    pub(crate) fn of_today(quick: bool) -> Self {
        Circumstances {
            machine: format!("{} x {}", machine::cores().len(), processor()),
            system: first_line("/proc/sys/kernel/osrelease").map_or("unknown".into(), |release| {
                format!("Linux {}", version(&release))
            }),
            compiler: compiler().unwrap_or_else(|| "unknown".to_owned()),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            quick,
            versions: versions(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        json!({
            "machine": self.machine, "system": self.system, "compiler": self.compiler,
            "date": self.date, "quick": self.quick, "versions": self.versions,
        })
        .to_string()
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let versions = value["versions"].as_object().into_iter().flatten();
        Ok(Circumstances {
            machine: text(value, "machine")?,
            system: text(value, "system")?,
            compiler: text(value, "compiler")?,
            date: text(value, "date")?,
            quick: value["quick"].as_bool().unwrap_or(false),
            versions: versions
                .filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned())))
                .collect(),
        })
    }
}

impl Row {
    pub(crate) fn to_json(&self) -> String {
        let role = match self.role {
            Role::Coro => "coro",
            Role::Peer => "peer",
            Role::Floor => "floor",
        };
        json!({
            "suite": self.suite, "case": self.case, "subject": self.subject, "role": role,
            "value": self.value, "median": self.median, "unit": self.unit,
        })
        .to_string()
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        Ok(Row {
            suite: text(value, "suite")?,
            case: text(value, "case")?,
            subject: text(value, "subject")?,
            role: match &*text(value, "role")? {
                "coro" => Role::Coro,
                "peer" => Role::Peer,
                "floor" => Role::Floor,
                other => return Err(format!("no subject has the role `{other}`")),
            },
            value: number(value, "value")?,
            median: number(value, "median")?,
            unit: text(value, "unit")?,
        })
    }
}

impl Verdict {
    pub(crate) fn to_json(&self) -> String {
        json!({
            "suite": self.suite, "case": self.case, "goal": self.goal, "reached": self.reached,
            "met": self.met,
        })
        .to_string()
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        Ok(Verdict {
            suite: text(value, "suite")?,
            case: text(value, "case")?,
            goal: text(value, "goal")?,
            reached: text(value, "reached")?,
            met: value["met"].as_bool().ok_or("`met` is not true or false")?,
        })
    }
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    let found = value[field].as_str();
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("the text `{field}` is missing"))
}

fn number(value: &Value, field: &str) -> Result<f64, String> {
    value[field]
        .as_f64()
        .ok_or_else(|| format!("the number `{field}` is missing"))
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").ok();
    let name = known.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn first_line(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.lines().next()?.to_owned())
}

/// The name of a case with its unit, unless the name ends with it.
pub(crate) fn with_unit(case: &str, unit: &str) -> String {
    match case.ends_with(unit) {
        true => case.to_owned(),
        false => format!("{case}, {unit}"),
    }
}

/// The numbers of a kernel's release, without what those that built it have added.
fn version(release: &str) -> &str {
    release.split('-').next().unwrap_or(release)
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("-V").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    Some(line.split(" (").next()?.trim().to_owned())
}

/// The versions in the lock file, of the packages of interest.
fn versions() -> BTreeMap<String, String> {
    let lock = fs::read_to_string(Path::new(WORKSPACE).join("Cargo.lock")).unwrap_or_default();
    let packages = lock.split("[[package]]").filter_map(|package| {
        let field = |name: &str| {
            let line = package.lines().find(|line| line.starts_with(name))?;
            Some(line.split('"').nth(1)?.to_owned())
        };
        Some((field("name = ")?, field("version = ")?))
    });
    packages
        .filter(|(name, _)| PACKAGES.contains(&&**name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let row = Row {
            suite: "spawn".into(),
            case: "one at \"a\" time".into(),
            subject: "coro".into(),
            role: Role::Coro,
            value: 64.25,
            median: 70.0,
            unit: "ns".into(),
        };
        let verdict = Verdict {
            suite: "spawn".into(),
            case: "one at \"a\" time".into(),
            goal: "at most 3 x floor".into(),
            reached: "2.360".into(),
            met: true,
        };
        let text = format!(
            "{}\n{}\n{}\n",
            Circumstances::of_today(true).to_json(),
            row.to_json(),
            verdict.to_json()
        );
        let record = Record::parse(&text).expect("this was just written");
        assert_eq!(record.rows, [row]);
        assert_eq!(record.verdicts, [verdict]);
        assert!(record.circumstances.quick);
        assert!(record.circumstances.versions.contains_key("tokio"));
    }

    #[test]
    fn a_broken_line_is_named() {
        let text = format!(
            "{}\n{{\"suite\": 1}}\n",
            Circumstances::of_today(false).to_json()
        );
        let error = Record::parse(&text).err().expect("a suite has a name");
        assert_eq!(error, "line 2: the text `suite` is missing");
    }
}
