//! The terminal itself, `/dev/tty`: lines that a person types, and lines that must not be seen. The line
//! editing is rpassword's; this adds what a secret needs: a paste of several lines is noticed, never cut.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::rc::Rc;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use secretree::error::{Failure, Result};
use secretree::secret::Secret;

/// The terminal of this process.
pub(crate) struct Terminal(File);

impl Terminal {
    /// `None` if this process has none.
    pub(crate) fn open() -> Option<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self(terminal))
    }

    /// One line, seen while it is typed. `None` at the end of input (Ctrl-D).
    pub(crate) fn line(&self, prompt: &str) -> io::Result<Option<String>> {
        (&self.0).write_all(prompt.as_bytes())?;
        let mut line = String::new();
        let length = BufReader::new(&self.0).read_line(&mut line)?;
        Ok((length > 0).then_some(line))
    }

    /// One line that is not shown. Several pasted lines, and characters that a line cannot hold, are
    /// failures: half a private key must not be taken for a value.
    pub(crate) fn hidden_line(&self, prompt: &str) -> Result<Secret> {
        let (text, seen) = {
            let _hidden = HiddenModes::enter(&self.0)?;
            (&self.0).write_all(prompt.as_bytes())?;
            let seen = Rc::new(Cell::new(Seen::Text));
            let keys = Keys {
                terminal: self.0.try_clone()?,
                seen: Rc::clone(&seen),
            };
            let config = rpassword::ConfigBuilder::new()
                .input_reader(keys)
                .output_discard()
                .build();
            let text = rpassword::read_password_with_config(config).map(Secret::from_text);
            if text.is_ok() && self.takes_more()? {
                seen.set(Seen::MoreLines);
            }
            (&self.0).write_all(b"\n")?;
            (text, seen.get())
        };
        match seen {
            Seen::Text => Ok(text.map_err(|error| Failure::failed(format!("nothing was typed: {error}")))?),
            Seen::Interrupt => {
                // The modes are restored by now, so the shell gets its terminal back as it was.
                let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
                Err(Failure::failed("interrupted").into())
            }
            Seen::MoreLines => Err(refusal("several lines were pasted")),
            Seen::Control => Err(refusal("the text holds a tab or another control character")),
        }
    }

    /// Whether more text follows at once, as only a paste does. Takes it all, unseen.
    fn takes_more(&self) -> io::Result<bool> {
        let mut modes = tcgetattr(&self.0)?;
        modes.special_codes[SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&self.0, OptionalActions::Now, &modes)?;
        let mut rest = zeroize::Zeroizing::new([0; 1024]);
        let mut any = false;
        while (&self.0).read(&mut *rest)? > 0 {
            any = true;
        }
        Ok(any)
    }
}

fn refusal(reason: &str) -> anyhow::Error {
    Failure::failed(format!("{reason}; the prompt takes one line"))
        .hint("put the text into a file and use `--file FILE`, or pipe it in")
        .into()
}

/// What a hidden line turned out to be.
#[derive(Clone, Copy)]
enum Seen {
    Text,
    Control,
    Interrupt,
    MoreLines,
}

/// The typed bytes on their way to the line editor, which would drop some of them without a word.
struct Keys {
    terminal: File,
    seen: Rc<Cell<Seen>>,
}

impl Read for Keys {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = self.terminal.read(bytes)?;
        for byte in &bytes[..length] {
            match byte {
                0x03 => {
                    self.seen.set(Seen::Interrupt);
                    return Err(io::Error::other("interrupted"));
                }
                // End of input, erase, line ends, erase line and word, cursor keys: the editor's own.
                0x04 | 0x08 | b'\n' | b'\r' | 0x15 | 0x17 | 0x1b | 0x7f => {}
                control if *control < 0x20 => self.seen.set(Seen::Control),
                _ => {}
            }
        }
        Ok(length)
    }
}

/// A terminal that shows nothing and passes on every key; as it was before when dropped.
struct HiddenModes<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> HiddenModes<'a> {
    fn enter(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for HiddenModes<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
