//! What becomes of each place: kept, taken from the other side, removed, or left to a person. Decided by what stands at one
//! path in three texts; how it is written is `write`'s.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::part::{Part, Version};
use super::same::{by_key, is_shifted, same, same_scalar};
use super::{Reason, Side};
use crate::document::path::{Segment, ValuePath};
use crate::document::token::is_token;
use crate::document::tree::{Node, Scalar};

/// A place that is not removed, in the three texts.
pub(super) struct Child<'p> {
    pub(super) base: Option<&'p Part<'p>>,
    pub(super) main: Option<&'p Part<'p>>,
    pub(super) other: Option<&'p Part<'p>>,
    pub(super) decision: Decision<'p>,
}

impl Child<'_> {
    pub(super) fn segment(&self) -> &Segment {
        let part = self.main.or(self.other).or(self.base);
        &part.expect("a place stands in one of the texts").segment
    }
}

/// What becomes of a place.
pub(super) enum Decision<'p> {
    /// It stays as the main text has it, but for these values.
    Main(Vec<Pick<'p>>),
    /// It becomes what the other text has.
    Other,
    /// A person decides.
    Conflict(Reason),
    /// What stands in it is decided one by one.
    Merge(Vec<Child<'p>>),
}

/// A value of the other text that is put into the main one.
pub(super) struct Pick<'p> {
    /// The bytes of the main text that are replaced.
    pub(super) range: Range<usize>,
    /// By these of the other.
    pub(super) text: &'p str,
    /// The scalar that is replaced.
    pub(super) main: &'p Scalar<'p>,
    /// Its new value.
    pub(super) other: &'p Scalar<'p>,
}

/// Why values cannot be picked one by one.
enum Unpicked {
    /// The collections do not have the same places.
    Shape,
    /// A person decides.
    Conflict(Reason),
}

/// Decides, place by place.
pub(super) struct Decider<'p> {
    doubted: &'p BTreeSet<(Side, ValuePath)>,
    main_side: Side,
    main: &'p Version<'p>,
    other: &'p Version<'p>,
    path: Vec<Segment>,
}

impl<'p> Decider<'p> {
    /// Decides about these two texts, `main` being that of `main_side`.
    pub(super) fn new(
        doubted: &'p BTreeSet<(Side, ValuePath)>,
        main_side: Side,
        main: &'p Version<'p>,
        other: &'p Version<'p>,
    ) -> Self {
        Self {
            doubted,
            main_side,
            main,
            other,
            path: Vec::new(),
        }
    }

    /// What becomes of the entries of the root.
    pub(super) fn root(&mut self, base: &'p Version<'p>) -> Vec<Child<'p>> {
        self.children(&base.parts, &self.main.parts, &self.other.parts)
    }

    /// Whether something at or below the present path must not be taken from `side` without asking.
    fn is_doubted(&self, side: Side) -> bool {
        if self.doubted.is_empty() {
            return false;
        }
        let here = (side, ValuePath::new(self.path.clone()));
        let next = self.doubted.range(here..).next();
        next.is_some_and(|(of, path)| *of == side && path.segments().starts_with(&self.path))
    }

    fn children(&mut self, base: &'p [Part<'p>], main: &'p [Part<'p>], other: &'p [Part<'p>]) -> Vec<Child<'p>> {
        fn by_segment<'p>(parts: &'p [Part<'p>]) -> HashMap<&'p Segment, &'p Part<'p>> {
            parts.iter().map(|part| (&part.segment, part)).collect()
        }
        let (in_base, in_other) = (by_segment(base), by_segment(other));
        let added = self.places_of_added(&in_base, main, other, &in_other);
        let mut children = Vec::with_capacity(main.len());
        let mut put = |decider: &mut Self, main: Option<&'p Part<'p>>, other: Option<&'p Part<'p>>| {
            let Some(part) = main.or(other) else { return };
            let base = in_base.get(&part.segment).copied();
            decider.path.push(part.segment.clone());
            let decision = decider.decide(base, main, other);
            decider.path.pop();
            children.extend(decision.map(|decision| Child {
                base,
                main,
                other,
                decision,
            }));
        };
        let mut added = added.into_iter().peekable();
        for place in 0..=main.len() {
            while let Some((_, part)) = added.next_if(|(at, _)| *at == place) {
                put(self, None, Some(part));
            }
            if let Some(part) = main.get(place) {
                put(self, Some(part), in_other.get(&part.segment).copied());
            }
        }
        children
    }

    /// The parts that only the other text has, each with the position in the main text before which it goes: where it is
    /// sorted in, if both are sorted, else behind what it stands behind. Of two new parts at one place ours is first.
    fn places_of_added(
        &self,
        base: &HashMap<&Segment, &Part<'p>>,
        main: &'p [Part<'p>],
        other: &'p [Part<'p>],
        in_other: &HashMap<&Segment, &Part<'p>>,
    ) -> Vec<(usize, &'p Part<'p>)> {
        let places: HashMap<&Segment, usize> = main.iter().enumerate().map(|(at, part)| (&part.segment, at)).collect();
        let is_sorted = |parts: &[Part<'_>]| parts.is_sorted_by(|left, right| left.segment <= right.segment);
        let sorted = main.len() > 1 && is_sorted(main) && is_sorted(other);
        let is_new = |part: &Part<'_>| !in_other.contains_key(&part.segment) && !base.contains_key(&part.segment);
        let mut added = Vec::new();
        let mut behind = 0;
        for part in other {
            if let Some(at) = places.get(&part.segment) {
                behind = at + 1;
                continue;
            }
            let at = if sorted {
                main.partition_point(|known| known.segment < part.segment)
            } else if self.main_side == Side::Ours {
                behind + main[behind..].iter().take_while(|part| is_new(part)).count()
            } else {
                behind
            };
            added.push((at, part));
        }
        added.sort_by_key(|(at, _)| *at);
        added
    }

    /// What becomes of one place; nothing if it is removed.
    fn decide(
        &mut self,
        base: Option<&'p Part<'p>>,
        main: Option<&'p Part<'p>>,
        other: Option<&'p Part<'p>>,
    ) -> Option<Decision<'p>> {
        match (main, other) {
            (Some(main), Some(other)) => self.both(base, main, other),
            (Some(part), None) => self.one(base, part, self.main_side),
            (None, Some(part)) => self.one(base, part, self.main_side.opposite()),
            (None, None) => None,
        }
    }

    /// A place that only `side` has.
    fn one(&mut self, base: Option<&'p Part<'p>>, part: &'p Part<'p>, side: Side) -> Option<Decision<'p>> {
        let whole = || match side == self.main_side {
            true => Decision::Main(Vec::new()),
            false => Decision::Other,
        };
        let base_children = match base {
            None if !self.is_doubted(side) => return Some(whole()),
            None if part.children.is_none() => return Some(Decision::Conflict(Reason::Doubted(side))),
            None => &[][..],
            Some(base) if same(base.node, part.node) => return None,
            Some(base) if base.is_mapping() && part.is_mapping() => base.children(),
            Some(_) => return Some(Decision::Conflict(Reason::Removed(side.opposite()))),
        };
        let children = match side == self.main_side {
            true => self.children(base_children, part.children(), &[]),
            false => self.children(base_children, &[], part.children()),
        };
        merged(children, self.main_side)
    }

    fn both(&mut self, base: Option<&'p Part<'p>>, main: &'p Part<'p>, other: &'p Part<'p>) -> Option<Decision<'p>> {
        let of_base = |fits: fn(&Part<'p>) -> bool| base.filter(|base| fits(base)).map_or(&[][..], Part::children);
        if main.is_mapping() && other.is_mapping() {
            let children = self.children(of_base(Part::is_mapping), main.children(), other.children());
            return merged(children, self.main_side);
        }
        if main.is_list() && other.is_list() {
            let base = of_base(Part::is_list);
            if !agree_by_number(base, main.children(), other.children()) {
                return Some(Decision::Conflict(Reason::List));
            }
            let children = self.children(base, main.children(), other.children());
            return merged(children, self.main_side);
        }
        Some(self.leaf(base.map(|base| base.node), main, other))
    }

    /// A place that is a value or a flow collection in one of the texts at least.
    fn leaf(&mut self, base: Option<&'p Node<'p>>, main: &'p Part<'p>, other: &'p Part<'p>) -> Decision<'p> {
        let mut picks = Vec::new();
        match self.picks(base, main.node, other.node, &mut picks) {
            Ok(()) => return Decision::Main(picks),
            Err(Unpicked::Conflict(reason)) => return Decision::Conflict(reason),
            Err(Unpicked::Shape) => {}
        }
        if same(main.node, other.node) {
            return Decision::Main(Vec::new());
        }
        let is_as_before = |part: &Part<'_>| base.is_some_and(|base| same(base, part.node));
        let (from, decision) = if is_as_before(main) {
            (self.main_side.opposite(), Decision::Other)
        } else if is_as_before(other) {
            (self.main_side, Decision::Main(Vec::new()))
        } else {
            return Decision::Conflict(Reason::Both);
        };
        if self.is_doubted(from) {
            return Decision::Conflict(Reason::Doubted(from));
        }
        decision
    }

    /// The values of `other` that go into `main`, where both have the same places.
    fn picks(
        &mut self,
        base: Option<&'p Node<'p>>,
        main: &'p Node<'p>,
        other: &'p Node<'p>,
        picks: &mut Vec<Pick<'p>>,
    ) -> Result<(), Unpicked> {
        match (main, other) {
            (Node::Scalar(main), Node::Scalar(other)) => {
                let base = match base {
                    Some(Node::Scalar(base)) => Some(base),
                    _ => None,
                };
                self.pick(base, main, other, picks)
            }
            (Node::Mapping(of_main), Node::Mapping(of_other)) => {
                let in_base = match base {
                    Some(Node::Mapping(base)) => by_key(base),
                    _ => HashMap::new(),
                };
                let in_other = by_key(of_other);
                if of_main.entries.len() != of_other.entries.len() {
                    return Err(Unpicked::Shape);
                }
                for entry in &of_main.entries {
                    let key = &*entry.key.name;
                    let other = in_other.get(key).ok_or(Unpicked::Shape)?;
                    self.path.push(Segment::Key(key.to_owned()));
                    let picked = self.picks(in_base.get(key).copied(), &entry.value, other, picks);
                    self.path.pop();
                    picked?;
                }
                Ok(())
            }
            (Node::Sequence(of_main), Node::Sequence(of_other)) if of_main.items.len() == of_other.items.len() => {
                let in_base = match base {
                    Some(Node::Sequence(base)) => &base.items[..],
                    _ => &[],
                };
                let nodes = |items: &'p [crate::document::tree::Item<'p>]| items.iter().map(|item| &item.value);
                let before: Vec<_> = nodes(in_base).collect();
                let both_moved = base.is_some_and(|base| !same(base, main) && !same(base, other));
                let moved = |items| is_shifted(&before, &nodes(items).collect::<Vec<_>>());
                if both_moved && (moved(&of_main.items) || moved(&of_other.items)) {
                    return Err(Unpicked::Conflict(Reason::List));
                }
                for (number, (main, other)) in nodes(&of_main.items).zip(nodes(&of_other.items)).enumerate() {
                    self.path.push(Segment::Index(number));
                    let picked = self.picks(before.get(number).copied(), main, other, picks);
                    self.path.pop();
                    picked?;
                }
                Ok(())
            }
            _ => Err(Unpicked::Shape),
        }
    }

    fn pick(
        &self,
        base: Option<&Scalar<'_>>,
        main: &'p Scalar<'p>,
        other: &'p Scalar<'p>,
        picks: &mut Vec<Pick<'p>>,
    ) -> Result<(), Unpicked> {
        let is_as_before = |scalar: &Scalar<'_>| base.is_some_and(|base| same_scalar(base, scalar));
        if same_scalar(main, other) {
            // The same value, sealed twice: what a side sealed anew is newer than what stood there.
            let is_newer = is_token(&main.content)
                && main.content != other.content
                && base.is_some_and(|base| *base.content == *main.content);
            if is_newer && let Some(pick) = self.put(main, other) {
                picks.push(pick);
            }
            return Ok(());
        }
        let from = if is_as_before(main) {
            self.main_side.opposite()
        } else if is_as_before(other) {
            self.main_side
        } else {
            return Err(Unpicked::Conflict(Reason::Both));
        };
        if self.is_doubted(from) {
            return Err(Unpicked::Conflict(Reason::Doubted(from)));
        }
        if from != self.main_side {
            picks.push(self.put(main, other).ok_or(Unpicked::Shape)?);
        }
        Ok(())
    }

    /// How `other` is put in the place of `main` with nothing around it moved; nothing if that cannot be done.
    fn put(&self, main: &'p Scalar<'p>, other: &'p Scalar<'p>) -> Option<Pick<'p>> {
        let (text, from) = (self.main.tree.text, self.other.tree.text);
        if is_token(&main.content) && is_token(&other.content) {
            let at = text[main.head.start..main.end()].find(&*main.content)? + main.head.start;
            return Some(Pick {
                range: at..at + main.content.len(),
                text: &other.content,
                main,
                other,
            });
        }
        let written = &from[other.head.clone()];
        let fits = main.flow && other.flow && !main.empty && !other.empty && !written.contains('\n');
        fits.then(|| Pick {
            range: main.head.clone(),
            text: written,
            main,
            other,
        })
    }
}

/// A collection of these; nothing if it is empty, and a person decides about the whole if it would be empty by one side.
fn merged(children: Vec<Child<'_>>, main_side: Side) -> Option<Decision<'_>> {
    if children.is_empty() {
        return None;
    }
    let remains = |side: Side| {
        children.iter().any(|child| match &child.decision {
            Decision::Conflict(_) if side == main_side => child.main.is_some(),
            Decision::Conflict(_) => child.other.is_some(),
            Decision::Main(_) | Decision::Other | Decision::Merge(_) => true,
        })
    };
    let empty = [Side::Ours, Side::Theirs].into_iter().find(|side| !remains(*side));
    Some(match empty {
        Some(side) => Decision::Conflict(Reason::Removed(side)),
        None => Decision::Merge(children),
    })
}

/// Whether the items of a list that both sides may have changed are told apart by their numbers.
fn agree_by_number(base: &[Part<'_>], main: &[Part<'_>], other: &[Part<'_>]) -> bool {
    let equal = |left: &[Part<'_>], right: &[Part<'_>]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left.node, right.node))
    };
    if equal(base, main) || equal(base, other) || equal(main, other) {
        return true;
    }
    fn nodes<'t>(parts: &[Part<'t>]) -> Vec<&'t Node<'t>> {
        parts.iter().map(|part| part.node).collect()
    }
    main.len() >= base.len()
        && other.len() >= base.len()
        && !is_shifted(&nodes(base), &nodes(main))
        && !is_shifted(&nodes(base), &nodes(other))
}
