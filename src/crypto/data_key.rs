//! The key of another tool's file, sealed for one public key at a time in an armored age file, as sops keeps it. Which
//! values that key opens is not known here.

use std::io::{Read as _, Write as _};

use age::armor::{ArmoredReader, ArmoredWriter, Format};

use super::envelope::seal_for;
use super::grant::{GrantError, LARGEST_GRANT, check_grant, recipient};
use super::identities::Identities;
use super::plugins::Plugins;
use super::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// The key, sealed for `public`: the text of an armored age file.
///
/// # Errors
/// Only for plugins: exit 1 if the plugin is missing or fails, exit 5 if it comes from the work tree.
pub fn seal_data_key(public: &PublicKey, key: &Secret, plugins: &Plugins) -> Result<String> {
    let recipient = recipient(public, plugins)?;
    let refused = || Failure::failed(format!("nothing can be encrypted to the key `{public}`"));
    let file = seal_for(&*recipient, key.expose()).map_err(|_| refused())?;
    check_grant(&file, public.label()).map_err(|_| refused())?;
    let mut armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    armored.write_all(&file)?;
    let text = armored.finish()?;
    Ok(String::from_utf8(text).expect("armor is ASCII"))
}

/// Opens one of these sealed keys, the one that costs least. Returns its index too.
///
/// # Errors
/// See [`GrantError`]; an integrity failure names the label of the public key.
pub fn open_data_key(
    sealed: &[(&PublicKey, &str)],
    identities: &mut Identities,
) -> Result<(usize, Secret), GrantError> {
    let files: Vec<_> = sealed.iter().map(|(_, text)| dearmored(text)).collect();
    let grants = sealed.iter().zip(&files);
    let grants: Vec<_> = grants
        .map(|((public, _), file)| (public.label(), file.as_slice()))
        .collect();
    identities.open(&grants)
}

/// The age file in this text; nothing, which no identity opens, if there is none of reasonable size.
fn dearmored(text: &str) -> Vec<u8> {
    let mut file = Vec::new();
    let reader = ArmoredReader::new(text.trim().as_bytes());
    match reader.take(LARGEST_GRANT as u64 + 1).read_to_end(&mut file) {
        Ok(_) => file,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{open_data_key, seal_data_key};
    use crate::crypto::grant::GrantError;
    use crate::crypto::identities::{Identities, KeySource, generate_x25519};
    use crate::crypto::plugins::Plugins;
    use crate::secret::Secret;

    #[test]
    fn the_key_opens_for_whom_it_was_sealed() {
        let ((mine, public), (_, other)) = (generate_x25519(), generate_x25519());
        let key = Secret::from("a key of thirty-two bytes in all");
        let sealed = [&other, &public].map(|public| seal_data_key(public, &key, &Plugins::none()).expect("sealed"));
        let mut identities = Identities::new(vec![KeySource::bytes("mine", mine)], Plugins::none());
        let both = [(&other, sealed[0].as_str()), (&public, sealed[1].as_str())];
        assert_eq!(open_data_key(&both, &mut identities).expect("opened"), (1, key));
        let refused = open_data_key(&both[..1], &mut identities).expect_err("refused");
        assert!(matches!(refused, GrantError::NoIdentity));
        for wrong in [sealed[0].as_str(), "", "-----BEGIN AGE ENCRYPTED FILE-----\nAA"] {
            let refused = open_data_key(&[(&public, wrong)], &mut identities).expect_err("refused");
            assert!(matches!(refused, GrantError::Integrity(..)), "{wrong}");
        }
    }
}
