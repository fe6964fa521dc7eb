//! Any bytes are refused as an age file, and any text as the plaintext of a token, grant or proposal, unless it is the
//! canonical form: then encoding it gives the same bytes.

#![no_main]

use secretree::crypto::envelope::inspect;
use secretree::crypto::grant::GrantPlaintext;
use secretree::crypto::proposal::ProposalPlaintext;
use secretree::crypto::token::TokenPlaintext;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = inspect(bytes);
    if let Ok(token) = TokenPlaintext::decode(bytes) {
        assert_eq!(token.encode().expect("it was small enough to be decoded").as_slice(), bytes);
    }
    if let Ok(grant) = GrantPlaintext::decode(bytes) {
        assert_eq!(grant.encode().as_slice(), bytes);
    }
    if let Ok(proposal) = ProposalPlaintext::decode(bytes) {
        assert_eq!(proposal.encode().expect("it was small enough to be decoded").as_slice(), bytes);
    }
});
