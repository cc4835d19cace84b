//! What effects are shown by.

use super::super::{Design, GroupBy};
use super::One;
use super::cluster::OTHERS;
use crate::domain::STRATUM;
use crate::error::{Error, Result, suggestion};

impl One<'_> {
    /// What the names in `by` are: states, then values of dimensions and columns, then strata.
    pub(super) fn by(&self) -> Result<Vec<GroupBy>> {
        let names = self.raw.by.as_slice();
        let mut by = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            by.push(self.group_by(name)?);
            if names.iter().take(at).any(|n| n == name) {
                return Err(self.wrong("by", format!("by lists {name:?} twice; list it once")));
            }
        }
        by.sort_by_key(|by| match by {
            GroupBy::Scheme(_) => 0,
            GroupBy::Dimension(_) | GroupBy::Column(_) => 1,
            GroupBy::Stratum => 2,
        });
        Ok(by)
    }

    fn group_by(&self, name: &str) -> Result<GroupBy> {
        let scheme = self.job.schemes.iter().find(|scheme| scheme.column == name).map(|_| GroupBy::Scheme(name.to_owned()));
        let dimension = self.job.dimensions.iter().position(|dimension| dimension == name).map(GroupBy::Dimension);
        let stratum = (name == STRATUM && self.raw.design == Design::Randomised).then_some(GroupBy::Stratum);
        let meanings = [
            (scheme, "a scheme column"),
            (dimension, "a dimension of the customers table"),
            (stratum, "the strata of the assignments"),
        ];
        let mut meanings = meanings.into_iter().filter_map(|(by, what)| Some((by?, what)));
        match (meanings.next(), meanings.next()) {
            (Some((_, one)), Some((_, other))) => Err(self.two_things(name, one, other)),
            (Some((by, _)), None) => Ok(by),
            _ => self.column(name).map(|()| GroupBy::Column(name.to_owned())),
        }
    }

    fn two_things(&self, name: &str, one: &str, other: &str) -> Error {
        self.wrong("by", format!("by names {name:?}, which is {one} and {other}; give one of them another name"))
    }

    /// Checks that a name that is nothing of the job can be a column of the assignments.
    fn column(&self, name: &str) -> Result<()> {
        let at = |what: String| Err(self.wrong("by", what));
        if name == STRATUM {
            return at(format!("by names {name:?}, which goes with design randomised, not with {}; remove it", self.raw.design));
        }
        if self.raw.design == Design::BeforeAfter {
            let schemes = || self.job.schemes.iter().map(|scheme| scheme.column.as_str());
            let known = || schemes().chain(self.job.dimensions.iter().map(String::as_str));
            let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return at(format!(
                "by names {name:?}, which is no scheme column and no dimension of the customers table{} (scheme columns: {}; dimensions: {}); columns of the assignments go with designs that have a control",
                suggestion(name, known()),
                list(schemes().collect()),
                list(self.job.dimensions.iter().map(String::as_str).collect())
            ));
        }
        if name.trim().is_empty() || name.starts_with('(') {
            return at(format!("by names {name:?}, which is empty or begins with a parenthesis; name a column"));
        }
        if OTHERS.contains(&name) {
            return at(format!(
                "by names {name:?}, a column of the assignments that means something else; name one that tells customers apart, such as \"region\""
            ));
        }
        if self.raw.cluster.as_deref() == Some(name) {
            return at(format!(
                "by names {name:?}, the column of clusters, each of which lies in one arm; name a column with customers of all arms in every value"
            ));
        }
        Ok(())
    }
}
