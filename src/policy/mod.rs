//! The policy: who there is, which environments there are and who may read them, what must exist and how
//! long it may live. Reads `.secrets.yaml` files and answers questions; it encrypts nothing and keeps no state.

mod access;
mod delivery;
mod edit;
mod environments;
mod fields;
mod file;
mod gathered;
mod glob;
mod hygiene;
mod keys;
mod link;
mod load;
mod order;
mod people;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod policy;
mod secrets;
mod spot;
mod template;
mod unknown;

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

pub use access::{Access, WayIn};
pub use delivery::{Rotator, RotatorMethod, Setting, TARGET_KINDS, Target};
pub use edit::{DiffLine, KeyList, MOST_KEYS, NamedKey, NewRecipient, PolicyChange, PolicyEdit, read_keys};
pub use environments::{EnvironmentPolicy, Folders, NoFolders};
pub use file::{LONGEST_POLICY, POLICY_NAME, PolicyFile};
pub use gathered::{Gathered, gather};
pub use glob::{Glob, SlashGlob};
pub use hygiene::{Allowance, ScanPolicy, Waiver};
pub use load::{LoadedPolicy, Reach, find, id_of};
pub use people::{People, Recipient};
pub use policy::Policy;
pub use secrets::{Scope, SecretDeclaration};
pub use spot::{SourceText, Spot, Spotted};
pub use template::template;
