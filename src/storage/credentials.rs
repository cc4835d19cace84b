//! The credentials of Amazon's command line, which laptops have and `object_store` does not read: `~/.aws/credentials` and
//! `~/.aws/config`, and the profile of `AWS_PROFILE` in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Variables that name credentials themselves, or a service that hands them out.
const NAMED: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// What the files say of a profile, by their keys, such as `aws_access_key_id`; empty where variables name credentials.
pub(super) fn of_profile() -> BTreeMap<String, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".into());
    let file = |name: &str, own: &str| {
        let home = || variable("HOME").map(|home| PathBuf::from(home).join(".aws").join(own));
        variable(name).map(PathBuf::from).or_else(home).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    };
    let mut found = section(&file("AWS_CONFIG_FILE", "config"), &[&format!("profile {profile}"), &profile]);
    if NAMED.into_iter().any(|name| variable(name).is_some()) {
        found.retain(|key, _| key == "region");
    } else {
        found.extend(section(&file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), &[&profile]));
    }
    found
}

/// The keys of a section of a file with lines such as `[default]` and `region = eu-west-1`.
fn section(text: &str, names: &[&str]) -> BTreeMap<String, String> {
    let mut is_ours = false;
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_ours = names.contains(&name.trim());
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_ours) {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_the_keys_of_its_section() {
        let text = "# mine\n[default]\nregion = eu-west-1\n\n[profile shop]\nregion=us-east-2\nAWS_Access_Key_Id = A=B\n[other]\nregion = x\n";
        let of = |names: &[&str]| section(text, names).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&["default"]), [("region".to_owned(), "eu-west-1".to_owned())]);
        let shop = [("aws_access_key_id".to_owned(), "A=B".to_owned()), ("region".to_owned(), "us-east-2".to_owned())];
        assert_eq!(of(&["profile shop", "shop"]), shop);
        assert!(of(&["none"]).is_empty());
    }
}
