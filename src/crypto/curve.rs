//! Curve25519 public keys as age writes them: Bech32, canonical, and no point of low order. Such a point
//! gives every sender the same shared secret, and makes the age library panic.

use age_core::primitives::{bech32_decode, bech32_encode};
use bech32::Hrp;

/// The points of low order (RFC 7748, section 6.1), little-endian, in their canonical form.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
];

/// The human-readable part of an X25519 public key.
const PUBLIC: Hrp = Hrp::parse_unchecked("age");

/// Whether `text` is an `age1…` X25519 public key in lower case: canonical, and not of low order.
pub(super) fn is_sound(text: &str) -> bool {
    text.len() == 62
        && decode(text).is_some_and(|point| is_reduced(&point) && !LOW_ORDER.contains(&point) && encode(&point) == text)
}

/// The `age1…` text of a point.
pub(super) fn encode(point: &[u8; 32]) -> String {
    bech32_encode(PUBLIC, point)
}

fn decode(text: &str) -> Option<[u8; 32]> {
    bech32_decode(
        text,
        |_| (),
        |prefix| (prefix == PUBLIC).then_some(()).ok_or(()),
        |_, bytes| bytes.collect::<Vec<_>>().try_into().map_err(|_| ()),
    )
    .ok()
}

/// Whether the coordinate is below 2^255 − 19.
fn is_reduced(point: &[u8; 32]) -> bool {
    point[31] < 0x7f || point[31] == 0x7f && (point[1..31].iter().any(|byte| *byte != 0xff) || point[0] < 0xed)
}

#[cfg(test)]
mod tests {
    use x25519_dalek::{PublicKey, StaticSecret};

    use super::{LOW_ORDER, encode, is_reduced, is_sound};

    #[test]
    fn points_of_low_order_are_refused() {
        let secret = StaticSecret::from([7; 32]);
        for point in LOW_ORDER {
            assert!(!secret.diffie_hellman(&PublicKey::from(point)).was_contributory());
            assert!(!is_sound(&encode(&point)));
        }
        let public = PublicKey::from(&secret).to_bytes();
        assert!(is_sound(&encode(&public)));
        assert!(!is_sound(&encode(&public).to_uppercase()));
        assert!(!is_sound("age1"));
        let mut high = public;
        high[31] |= 0x80;
        assert!(
            !is_sound(&encode(&high)),
            "the ignored bit makes a second text of one key"
        );
    }

    #[test]
    fn coordinates_beyond_the_prime_are_refused() {
        let mut point = [0xff; 32];
        point[31] = 0x7f;
        for (first, reduced) in [(0xec, true), (0xed, false), (0xee, false), (0xff, false)] {
            point[0] = first;
            assert_eq!(is_reduced(&point), reduced, "{first}");
        }
    }
}
