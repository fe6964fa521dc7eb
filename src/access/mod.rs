//! Who reads what, changed as one: the lines of a policy and, by the vault, the grants of the files under it. Asks and
//! writes nothing itself; how the lines are found and replaced is the policy's, what is sealed the vault's.

mod enrollment;
mod membership;
mod offboard;
mod readers;
mod since;

pub use enrollment::{Enrollment, Joining, KeySource, KeyText, Leaving, LeftOut, Proof, Reason};
pub use membership::{Way, way_to_read};
pub use offboard::{Departure, ToChange, depart};
pub use readers::{ReaderChange, grant, revoke};
pub use since::{Brought, Since};
