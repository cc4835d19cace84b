//! Arms and their shares, as the flags say them.

use super::super::args::AssignArgs;
use crate::assign::ShareBounds;
use crate::domain::{Decimal, Ratio, look_alike};
use crate::error::{Error, Result, suggestion};

/// The arms of a draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shares {
    /// The control, then the other arms by name.
    pub arms: Vec<String>,
    /// Their usual shares, as exact ratios.
    pub usual: Vec<Ratio>,
    /// States with another hold-out.
    by_state: Vec<(String, Ratio)>,
}

impl Shares {
    /// Reads `--holdout`, `--holdout-by`, `--arms` and `--control`.
    pub fn parse(args: &AssignArgs) -> Result<Shares> {
        let mut arms: Vec<(String, String, Ratio)> = match &args.holdout {
            Some(text) => {
                let share = holdout("--holdout", text)?;
                let [share, rest] = with_rest(share);
                let rest_text = rest.decimal().unwrap_or_else(|| rest.to_string());
                vec![(args.control.clone(), text.clone(), share), ("treatment".into(), rest_text, rest)]
            }
            None => args.arms.iter().map(|text| arm(text)).collect::<Result<_>>()?,
        };
        if let Some((name, ..)) = arms.iter().find(|(name, ..)| name.trim().is_empty() || name.starts_with('(')) {
            return Err(Error::usage(format!("the arm {name:?} is empty or begins with a parenthesis; give it another name")));
        }
        arms.sort_by(|a, b| (a.0 != args.control, &a.0).cmp(&(b.0 != args.control, &b.0)));
        let names: Vec<String> = arms.iter().map(|(name, ..)| name.clone()).collect();
        if let Some((_, twice)) = names.iter().zip(names.iter().skip(1)).find(|(one, other)| one == other) {
            return Err(Error::usage(format!("the arm {twice:?} is given twice; give every arm a name of its own")));
        }
        if let Some((one, other)) = look_alike(names.iter().map(String::as_str)) {
            return Err(Error::usage(format!(
                "the arms {one:?} and {other:?} differ only in case or blanks; give them names that people can tell apart"
            )));
        }
        if names.first() != Some(&args.control) {
            return Err(Error::usage(format!(
                "--arms has no arm {:?}{} (arms: {}); add the control arm, or name it with --control",
                args.control,
                suggestion(&args.control, names.iter().map(String::as_str)),
                names.join(", ")
            )));
        }
        let sum = arms.iter().try_fold(Ratio::new(0, 1), |sum, (.., share)| sum.plus(*share));
        if sum != Some(Ratio::new(1, 1)) || arms.len() < 2 {
            return Err(Error::usage(format!(
                "the shares of --arms are {}, which do not add to exactly 1 over two arms or more; correct them, thirds as 1/3",
                arms.iter().map(|(name, text, _)| format!("{name}={text}")).collect::<Vec<_>>().join(", ")
            )));
        }
        let mut by_state: Vec<(String, Ratio)> = Vec::new();
        for text in &args.holdout_by {
            let (state, share) = split("--holdout-by", text, "At Risk=0.2")?;
            if by_state.iter().any(|(known, _)| known == state) {
                return Err(Error::usage(format!("--holdout-by gives the state {state:?} twice; give it one share")));
            }
            by_state.push((state.to_owned(), holdout(&format!("--holdout-by {state:?}"), share)?));
        }
        Ok(Shares { by_state, usual: arms.iter().map(|(.., share)| *share).collect(), arms: names })
    }

    /// The bounds of the arms in every one of these states; customers are drawn from those that `occur`.
    pub fn bounds(&self, states: &[String], occur: &[&str]) -> Result<Vec<ShareBounds>> {
        for (state, _) in &self.by_state {
            if !occur.contains(&state.as_str()) {
                return Err(Error::usage(format!(
                    "--holdout-by {state:?}: no customer to draw from is in that state{} (states: {}); name one of them",
                    suggestion(state, occur.iter().copied()),
                    occur.join(", ")
                )));
            }
        }
        states.iter().map(|state| ShareBounds::new(&self.of(state))).collect()
    }

    /// The shares in a state.
    pub fn of(&self, state: &str) -> Vec<Ratio> {
        match self.by_state.iter().find(|(own, _)| own == state) {
            Some((_, share)) => with_rest(*share).into(),
            None => self.usual.clone(),
        }
    }

    /// The shares as a job file has them, in a state if one is given.
    pub fn in_toml(&self, state: Option<&str>) -> String {
        let shares = state.map_or_else(|| self.usual.clone(), |state| self.of(state));
        let one = |(arm, share): (&String, &Ratio)| {
            let name = toml_key(arm);
            share.decimal().map_or_else(|| format!("{name} = \"{share}\""), |decimal| format!("{name} = {decimal}"))
        };
        self.arms.iter().zip(&shares).map(one).collect::<Vec<_>>().join(", ")
    }

    /// Whether a state has other shares than the rest.
    pub fn differ_in(&self, state: &str) -> bool {
        self.by_state.iter().any(|(own, _)| own == state)
    }

    /// Whether every state has the same shares.
    pub fn are_equal(&self) -> bool {
        self.by_state.is_empty()
    }
}

/// A name as a key of a TOML table.
pub(super) fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_bare { name.to_owned() } else { toml::Value::from(name).to_string() }
}

/// A share of a hold-out: above 0 and below 1.
pub(super) fn holdout(flag: &str, text: &str) -> Result<Ratio> {
    read(text)
        .filter(|share| *share < Ratio::new(1, 1))
        .ok_or_else(|| Error::usage(format!("{flag} is {text:?}; expected a share above 0 and below 1, such as 0.1 or 1/3")))
}

/// A share and what it leaves of 1.
pub(super) fn with_rest(share: Ratio) -> [Ratio; 2] {
    let (p, q) = share.parts();
    [share, Ratio::new(q - p, q)]
}

fn arm(text: &str) -> Result<(String, String, Ratio)> {
    let (name, share) = split("--arms", text, "control=0.5,treatment=0.5")?;
    let ratio = read(share).ok_or_else(|| {
        Error::usage(format!("--arms {text:?}: the share is {share:?}; expected one above 0, such as 0.5 or 1/3"))
    })?;
    Ok((name.to_owned(), share.to_owned(), ratio))
}

fn split<'a>(flag: &str, text: &'a str, example: &str) -> Result<(&'a str, &'a str)> {
    let parts = text.rsplit_once('=').map(|(name, share)| (name, share.trim()));
    parts.ok_or_else(|| Error::usage(format!("{flag} {text:?} has no \"=\"; expected something such as {example}")))
}

/// A share above 0, as a decimal or a fraction.
fn read(text: &str) -> Option<Ratio> {
    let text = text.trim();
    let ratio = Decimal::parse(text).and_then(|decimal| decimal.shifted(0)).or_else(|| Ratio::parse(text));
    ratio.filter(|share| *share > Ratio::new(0, 1))
}
