//! Takes identities and trust out of this process's own environment, so that no child inherits them: age plugins are
//! started by the age library, which passes everything on. `unsafe`, because changing the environment is not sound while
//! other threads read it: `main` calls this first, before there are any.

#![allow(unsafe_code)]

use super::variables::{Variables, is_private};

/// Removes every variable that a child must not inherit. Only for a process that has a single thread.
pub(super) fn remove_private(variables: &Variables) {
    for name in variables.all().keys().filter(|name| is_private(name)) {
        // SAFETY: the program has started no thread yet; see above.
        unsafe { std::env::remove_var(name) };
    }
}
