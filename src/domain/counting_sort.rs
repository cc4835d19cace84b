//! A stable sort by small integers.

/// Sorts items by keys below `bound`; items with the same key keep their order. `keys` are the keys of all items in any order,
/// and `items` come with theirs. Also returns where the items of every key begin, and the end of the last.
pub fn counting_sort<T: Copy>(
    bound: usize,
    keys: impl Iterator<Item = usize>,
    items: impl Iterator<Item = (usize, T)>,
) -> (Vec<T>, Vec<u32>) {
    // A key counts two places further on: after the running totals, the place in between is where its next item goes. When
    // all are placed, that is where the items of the following key begin.
    let mut starts = vec![0u32; bound + 2];
    let mut count = 0;
    for key in keys {
        starts[key + 2] += 1;
        count += 1;
    }
    for at in 2..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut items = items.peekable();
    let mut sorted = items.peek().map_or_else(Vec::new, |(_, first)| vec![*first; count]);
    for (key, item) in items {
        let next = &mut starts[key + 1];
        sorted[*next as usize] = item;
        *next += 1;
    }
    starts.pop();
    (sorted, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_key_follow_each_other_in_their_order() {
        let items: Vec<(usize, u32)> = (0..1000).map(|n| ((n as usize * 7919) % 37, n)).collect();
        let (sorted, starts) = counting_sort(40, items.iter().map(|item| item.0), items.iter().copied());
        assert_eq!(starts.len(), 41);
        for key in 0..40 {
            let want: Vec<u32> = items.iter().filter(|item| item.0 == key).map(|item| item.1).collect();
            assert_eq!(sorted[starts[key] as usize..starts[key + 1] as usize], want);
        }
        assert_eq!(counting_sort(0, [].into_iter(), [(0, 0u32); 0].into_iter()), (vec![], vec![0]));
    }
}
