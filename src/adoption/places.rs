//! Names of environments and places of their files, made of the paths of sops files: `secrets/prod.enc.yaml` is `prod`, and
//! where several would be, each gets its folder: `billing/prod`. No two are the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::names::{EnvironmentName, RecipientName};

/// Parts of a file's name that say nothing of its environment.
const EMPTY_WORDS: [&str; 7] = ["enc", "encrypted", "sops", "age", "secret", "secrets", "env"];
/// Folders that say nothing of it.
const EMPTY_FOLDERS: [&str; 7] = ["secrets", "secret", "sops", "env", "envs", "environments", "config"];
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "json", "env"];

/// The parts of a file's name that say something, as they stand there.
fn words(path: &str) -> Vec<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if EXTENSIONS.contains(&extension) => stem,
        _ => name,
    };
    let parts = stem.split('.');
    parts
        .filter(|part| !part.is_empty() && !EMPTY_WORDS.contains(part))
        .collect()
}

/// The folders of a file that say something, the nearest first.
fn folders(path: &str) -> Vec<RecipientName> {
    let (folders, _) = path.rsplit_once('/').unwrap_or_default();
    let telling = folders.rsplit('/').filter(|folder| !EMPTY_FOLDERS.contains(folder));
    telling.filter_map(RecipientName::fitted).collect()
}

/// A distinct name for each file, in their order.
pub(super) fn names(paths: &[&str]) -> Vec<EnvironmentName> {
    let short: Vec<(RecipientName, Vec<RecipientName>)> = paths.iter().map(|path| short_name(path)).collect();
    let mut wanted: BTreeMap<&RecipientName, usize> = BTreeMap::new();
    for (name, _) in &short {
        *wanted.entry(name).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    let mut numbered: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::new();
    for (name, folders) in &short {
        let alone = wanted[name] == 1 || folders.is_empty();
        let mut candidates = Vec::new();
        if alone {
            candidates.push(name.to_string());
        }
        for depth in 1..=folders.len() {
            let folder: Vec<&str> = folders[..depth].iter().rev().map(AsRef::as_ref).collect();
            candidates.push(format!("{}/{name}", folder.join("-")));
        }
        let start = &name.as_str()[..name.as_str().len().min(50)];
        let number = numbered.entry(start).or_insert(1);
        let with_numbers = std::iter::repeat_with(|| {
            *number += 1;
            format!("{start}-{number}")
        });
        let name = candidates
            .into_iter()
            .chain(with_numbers)
            .filter_map(|text| EnvironmentName::new(&text))
            .find(|name| !taken.contains(name))
            .expect("numbers do not end");
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// What a file would be called if it were alone, and the folders that can stand before it.
fn short_name(path: &str) -> (RecipientName, Vec<RecipientName>) {
    let mut folders = folders(path);
    match RecipientName::fitted(&words(path).join("-")) {
        Some(name) => (name, folders),
        None if folders.is_empty() => (RecipientName::new("default").expect("it is a name"), folders),
        None => (folders.remove(0), folders),
    }
}

/// A free place for each environment's file: beside the sops file under its telling name, else in `secrets`, else beside it
/// with our name in it.
pub(super) fn files(paths: &[&str], names: &[EnvironmentName], is_taken: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut claimed = BTreeSet::new();
    let mut files = Vec::new();
    for (path, name) in paths.iter().zip(names) {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let words = words(path).join(".");
        let beside = if words.is_empty() {
            "secrets.yaml".to_owned()
        } else {
            format!("{words}.yaml")
        };
        let mine = format!("{}.secretree.yaml", beside.trim_end_matches(".yaml"));
        let in_secrets = PathBuf::from(format!("secrets/{name}.yaml"));
        let candidates = [folder.join(beside), in_secrets, folder.join(mine)];
        let numbered = (2..).map(|number| PathBuf::from(format!("secrets/{name}-{number}.yaml")));
        let file = candidates
            .into_iter()
            .chain(numbered)
            .find(|file| !claimed.contains(file) && !is_taken(file))
            .expect("numbers do not end");
        claimed.insert(file.clone());
        files.push(file);
    }
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{files, names};

    #[test]
    fn names_and_places_are_made_of_paths() {
        let paths = [
            "secrets/prod.enc.yaml",
            "secrets/dev.yaml",
            ".env.staging",
            ".env",
            "services/billing/secrets.yaml",
            "services/shop/secrets/qa.enc.json",
            "services/api/qa.sops.yml",
            "other/api/qa.yaml",
            "qa.yaml",
            "Übung/no.yaml",
        ];
        let names = names(&paths);
        let shown: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        assert_eq!(
            shown,
            [
                "prod",
                "dev",
                "staging",
                "default",
                "billing",
                "shop/qa",
                "api/qa",
                "other-api/qa",
                "qa",
                "bung"
            ]
        );
        let files = files(&paths, &names, |path| {
            paths.iter().any(|taken| Path::new(taken) == path)
        });
        let shown: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
        assert_eq!(
            shown,
            [
                "secrets/prod.yaml",
                "secrets/dev.secretree.yaml",
                "staging.yaml",
                "secrets.yaml",
                "secrets/billing.yaml",
                "services/shop/secrets/qa.yaml",
                "services/api/qa.yaml",
                "secrets/other-api/qa.yaml",
                "secrets/qa.yaml",
                "secrets/bung.yaml",
            ]
        );
    }

    #[test]
    fn many_files_of_one_name_get_numbers() {
        let paths = ["a.yaml", "a.json", "a.enc.yaml"];
        let shown: Vec<String> = names(&paths).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a", "a-2", "a-3"]);
    }
}
