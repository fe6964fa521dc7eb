//! Puts things that build on each other in order, or finds the circle that forbids it. Without recursion,
//! because a policy may nest as deep as its text is long.

/// The indices of `edges` so that each comes behind all that it builds on (`edges[it]`); a circle of indices
/// if there is none. Linear.
pub(super) fn order(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut dependants = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for &to in targets {
            dependants[to].push(from);
        }
    }
    let mut ordered: Vec<usize> = (0..edges.len()).filter(|&node| waiting[node] == 0).collect();
    let mut next = 0;
    while next < ordered.len() {
        for &dependant in &dependants[ordered[next]] {
            waiting[dependant] -= 1;
            if waiting[dependant] == 0 {
                ordered.push(dependant);
            }
        }
        next += 1;
    }
    match (0..edges.len()).find(|&node| waiting[node] > 0) {
        Some(start) => Err(circle(edges, &waiting, start)),
        None => Ok(ordered),
    }
}

/// Walks along nodes that wait for others until one comes again.
fn circle(edges: &[Vec<usize>], waiting: &[usize], start: usize) -> Vec<usize> {
    let mut position = vec![None; edges.len()];
    let mut walk = Vec::new();
    let mut node = start;
    loop {
        if let Some(first) = position[node] {
            return walk.split_off(first);
        }
        position[node] = Some(walk.len());
        walk.push(node);
        node = *edges[node]
            .iter()
            .find(|&&next| waiting[next] > 0)
            .expect("a node that waits, waits for one that waits");
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn what_others_build_on_comes_first() {
        assert_eq!(order(&[vec![1, 2], vec![2], vec![]]), Ok(vec![2, 1, 0]));
    }

    #[test]
    fn a_circle_is_found_and_named_without_its_tail() {
        assert_eq!(order(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2]));
        assert_eq!(order(&[vec![0]]), Err(vec![0]));
    }

    #[test]
    fn depth_is_no_danger() {
        let chain: Vec<Vec<usize>> = (0..300_000)
            .map(|node| if node == 0 { vec![] } else { vec![node - 1] })
            .collect();
        assert!(order(&chain).is_ok());
    }
}
