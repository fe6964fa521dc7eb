//! Labelled things of a footer (grants, proposals, old values) as sets: what one side added is added, what one side took
//! out is out.

use std::collections::BTreeMap;

/// The three-way merge of two maps by label. Where both sides have something else at a label, ours stays: two grants of
/// one public key, say, differ in every byte and open to the same.
pub fn three_way<K: Ord + Clone, V: Clone + PartialEq>(
    base: &BTreeMap<K, V>,
    ours: &BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let mut merged = BTreeMap::new();
    for (label, own) in ours {
        let kept = match (theirs.get(label), base.get(label)) {
            (Some(other), Some(before)) if before == own => other,
            (None, Some(_)) => continue,
            _ => own,
        };
        merged.insert(label.clone(), kept.clone());
    }
    for (label, other) in theirs {
        if !ours.contains_key(label) && !base.contains_key(label) {
            merged.insert(label.clone(), other.clone());
        }
    }
    merged
}

/// Everything of both; ours where both have something at a label.
pub fn join<K: Ord + Clone, V: Clone>(ours: &BTreeMap<K, V>, theirs: &BTreeMap<K, V>) -> BTreeMap<K, V> {
    let mut all = theirs.clone();
    all.extend(ours.iter().map(|(label, own)| (label.clone(), own.clone())));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::three_way;

    fn set(text: &str) -> BTreeMap<char, char> {
        text.split(' ')
            .filter(|pair| !pair.is_empty())
            .map(|pair| (pair.chars().next().unwrap(), pair.chars().nth(1).unwrap()))
            .collect()
    }

    #[test]
    fn what_one_side_did_is_done() {
        for (base, ours, theirs, merged) in [
            ("a1 b1", "a1 b1 c1", "a1 b1 d1", "a1 b1 c1 d1"),
            ("a1 b1", "a1", "a1 b1 d1", "a1 d1"),
            ("a1 b1", "a1 b1 d1", "b1", "b1 d1"),
            ("a1", "a2", "a1", "a2"),
            ("a1", "a1", "a2", "a2"),
            ("", "a1", "a2", "a1"),
            ("a1", "", "", ""),
            // Taken out on one side and changed on the other: out.
            ("a1", "", "a2", ""),
        ] {
            assert_eq!(
                three_way(&set(base), &set(ours), &set(theirs)),
                set(merged),
                "{base} {ours} {theirs}"
            );
        }
    }
}
