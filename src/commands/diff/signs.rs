//! The sign in front of what happened to the policy or a file: `!` marks what gives somebody a new right over others' values
//! or machines, or what is broken.

use secretree::history::{EventKind, PolicyEvent};

/// The sign of something that happened to the policy.
pub(super) fn of_policy(event: &PolicyEvent) -> char {
    use PolicyEvent as Event;
    match event {
        Event::PolicyRemoved
        | Event::PolicyUnreadable { .. }
        | Event::IdChanged
        | Event::MaintainerAdded { .. }
        | Event::PlaintextAdded { .. }
        | Event::CommandChanged { .. }
        | Event::TargetChanged { .. }
        | Event::WaiverAdded { .. }
        | Event::ScanAllowed { .. } => '!',
        Event::PolicyAdded
        | Event::RecipientAdded { .. }
        | Event::KeyAdded { .. }
        | Event::SigningKeyAdded { .. }
        | Event::EnvironmentDeclared { .. }
        | Event::ReaderAdded { .. }
        | Event::WriterAdded { .. }
        | Event::TargetAdded { .. } => '+',
        Event::RecipientRemoved { .. }
        | Event::KeyRemoved { .. }
        | Event::SigningKeyRemoved { .. }
        | Event::EnvironmentDropped { .. }
        | Event::ReaderRemoved { .. }
        | Event::WriterRemoved { .. }
        | Event::MaintainerRemoved { .. }
        | Event::PlaintextRemoved { .. }
        | Event::TargetRemoved { .. }
        | Event::WaiverRemoved { .. }
        | Event::ScanRefused { .. } => '-',
        Event::FileDeclared { .. } => '>',
        Event::PolicyReadableAgain
        | Event::ExtendsChanged { .. }
        | Event::DeclarationChanged { .. }
        | Event::SettingChanged { .. } => '~',
    }
}

/// The sign of something that happened to a file or its key; nothing for what is about values, grants and proposals.
pub(super) fn of_file(event: &EventKind) -> Option<char> {
    Some(match event {
        EventKind::FileAdded | EventKind::FileBack => '+',
        EventKind::FileRemoved => '-',
        EventKind::FileMoved { .. } | EventKind::Renamed { .. } => '>',
        EventKind::ReadableAgain | EventKind::NewKey { .. } => '~',
        EventKind::Unreadable { .. } | EventKind::KeyBack { .. } | EventKind::HistoryEnds => '!',
        _ => return None,
    })
}
