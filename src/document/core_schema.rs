//! What YAML 1.2's core schema makes of a plain scalar that is a key: only strings may be keys here.

/// Whether the YAML 1.2 core schema reads a plain scalar as a string (YAML 1.2.2, 10.3.2).
pub(super) fn is_string(text: &str) -> bool {
    if matches!(
        text,
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
    ) {
        return false;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return false;
    }
    let all = |digits: &str, fits: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(fits);
    if text
        .strip_prefix("0o")
        .is_some_and(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7')))
        || text
            .strip_prefix("0x")
            .is_some_and(|digits| all(digits, u8::is_ascii_hexdigit))
    {
        return false;
    }
    !is_number(unsigned)
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, integers included.
fn is_number(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::is_string;

    #[test]
    fn keys_that_the_core_schema_reads_otherwise_are_no_strings() {
        for other in [
            "1", "-1", "+1", "007", "1.", ".5", "1e3", "1.5E-3", "0x1F", "0o7", ".inf", "-.INF", ".nan", "null",
            "True", "~",
        ] {
            assert!(!is_string(other), "{other}");
        }
        for string in [
            "a",
            "yes",
            "on",
            "1.2.3",
            "0x",
            "0o8",
            "e3",
            ".",
            "1a",
            "-",
            "2026-01-01",
            "nUll",
        ] {
            assert!(is_string(string), "{string}");
        }
    }
}
