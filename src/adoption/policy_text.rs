//! The text of a policy made of a proposal: short, in the order of the commented example.

use super::Adopted;
use crate::crypto::public_key::PublicKey;
use crate::document::render::quoted_public;
use crate::names::RecipientName;

/// The policy; `id` is 32 lower-case hex digits.
pub(super) fn text(
    id: &str,
    recipients: &[(RecipientName, PublicKey)],
    groups: &[(RecipientName, Vec<RecipientName>)],
    environments: &[Adopted],
) -> String {
    let mut text = format!(
        "# Who may read which secrets. Everyone who reviews changes to this file decides about access, so protect\n\
         # it like code. Made from `.sops.yaml`.\nversion: 1\n\n\
         # Random. It binds the encrypted files to this policy: keep it for ever.\nid: \"{id}\"\n"
    );
    if environments
        .iter()
        .any(|environment| environment.name.as_str() == "dev")
    {
        text.push_str("\n# What commands take when no environment is named.\ndefault_environment: dev\n");
    }
    text.push_str(
        "\n# Give `machine: true` to what is no person: it reads, but does not write unless `writers` names it.\nrecipients:\n",
    );
    for (name, key) in recipients {
        text.push_str(&format!("  {name}:\n    keys:\n      - {key}\n"));
    }
    if !groups.is_empty() {
        text.push_str("\ngroups:\n");
    }
    for (name, members) in groups {
        text.push_str(&format!("  {name}: [{}]\n", joined(members)));
    }
    text.push_str("\nenvironments:\n");
    for environment in environments {
        let Adopted {
            name,
            readers,
            plaintext,
            ..
        } = environment;
        let file = environment.file.to_string_lossy();
        let is_plain = file.starts_with(|first: char| first.is_ascii_alphabetic())
            && file
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        let file = if is_plain {
            file.into_owned()
        } else {
            quoted_public(&file)
        };
        text.push_str(&format!(
            "  {name}:\n    file: {file}\n    readers: [{}]\n",
            joined(readers)
        ));
        if !plaintext.is_empty() {
            let globs: Vec<_> = plaintext.iter().map(|glob| quoted_public(glob)).collect();
            text.push_str(&format!("    plaintext: [{}]\n", globs.join(", ")));
        }
    }
    text
}

fn joined(names: &[RecipientName]) -> String {
    names.iter().map(RecipientName::as_str).collect::<Vec<_>>().join(", ")
}
