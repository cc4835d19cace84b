//! Names in the output folder.

use std::path::{Path, PathBuf};

/// The file that marks the folder as one of rfmill; a run locks it.
pub(super) const MARKER: &str = ".rfmill";

/// Folder of the trees that `tables` points to.
pub(super) const TREES: &str = ".tables";

/// Folder of the manifests of every date in view, by their SHA-256.
pub(super) const MANIFESTS: &str = "manifests";

/// Folder of files that commits make themselves, by their SHA-256.
pub(super) const MADE: &str = "made";

/// The folder of a run.
pub(super) fn run_folder(root: &Path, run_id: &str) -> PathBuf {
    root.join("runs").join(run_id)
}

/// What `latest` points to.
pub(super) fn latest_target(run_id: &str) -> PathBuf {
    Path::new("runs").join(run_id)
}

/// What `tables` points to after the commit of this number.
pub(super) fn tables_target(number: u64) -> PathBuf {
    Path::new(TREES).join(format!("{number:08}"))
}

/// The tree of a commit.
pub(super) fn tree_folder(root: &Path, number: u64) -> PathBuf {
    root.join(tables_target(number))
}

/// The copy of a commit's record that says what its tree shows, and outlives damage of the record.
pub(super) fn record_copy(root: &Path, number: u64) -> PathBuf {
    root.join(TREES).join(format!("{number:08}.json"))
}

/// The record of a commit.
pub(super) fn record_path(root: &Path, number: u64) -> PathBuf {
    root.join("commits").join(format!("{number:08}.json"))
}

/// The kept manifest of a date in view.
pub(super) fn manifest_path(root: &Path, sha256: &str) -> PathBuf {
    root.join(MANIFESTS).join(format!("{sha256}.json"))
}

/// The number that a name such as `00000012` or, with the ending, `00000012.json` stands for.
pub(super) fn number_of(name: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_suffix(ending)?;
    let number: u64 = digits.parse().ok()?;
    (number > 0 && digits == format!("{number:08}")).then_some(number)
}

/// The folder of an as-of date in a table.
pub(super) fn date_folder(date: &str) -> String {
    format!("as_of={date}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_written_are_numbers() {
        assert_eq!(number_of("00000012.json", ".json"), Some(12));
        assert_eq!(number_of("123456789", ""), Some(123_456_789));
        for odd in ["12.json", "+0000012.json", "00000000.json", "000000012.json", "99999999999999999999.json", "0000012a.json"] {
            assert_eq!(number_of(odd, ".json"), None, "{odd}");
        }
    }
}
