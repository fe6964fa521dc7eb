//! The verbs, one file each: what it takes (the doc comments are its help) and what it does. A verb asks the
//! library and tells the person; it never calls another verb.

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exposure;
pub(crate) mod get;
pub(crate) mod git;
pub(crate) mod grant;
pub(crate) mod hooks;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod join;
pub(crate) mod keygen;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod recipient;
pub(crate) mod revoke;
pub(crate) mod run;
pub(crate) mod set;
pub(crate) mod trust;
pub(crate) mod unset;
pub(crate) mod whoami;
