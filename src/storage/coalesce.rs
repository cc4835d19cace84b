//! Which requests read some ranges of an object: neighbours in one, large ones in pieces.

use std::ops::Range;

/// Most bytes between two ranges that are read along with them.
const MOST_GAP: u64 = 64 << 10;

/// How much of what is asked for may be read besides: one part in this number.
const SPARE: u64 = 20;

/// Most bytes of a request: a slow one is repeated as a whole.
const MOST_BYTES: u64 = 8 << 20;

/// The spans that cover all ranges, ascending: ranges that lie close to each other share one.
pub(super) fn spans(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut spans: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match spans.last_mut() {
            Some(last) if is_close(last, &range) => last.end = last.end.max(range.end),
            _ => spans.push(range),
        }
    }
    spans
}

fn is_close(span: &Range<u64>, next: &Range<u64>) -> bool {
    let gap = next.start.saturating_sub(span.end);
    let asked = (span.end - span.start) + (next.end - next.start);
    gap <= MOST_GAP.min(asked / SPARE)
}

/// The requests for a span.
pub(super) fn pieces(span: &Range<u64>) -> Vec<Range<u64>> {
    let starts = (span.start..span.end).step_by(MOST_BYTES as usize);
    starts.map(|start| start..span.end.min(start + MOST_BYTES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_request_and_little_else_is_read() {
        let (mib, one) = (1 << 20, |range: Range<u64>| vec![range]);
        assert_eq!(spans(&[mib..2 * mib, 0..mib]), one(0..2 * mib));
        assert_eq!(spans(&[0..mib, mib + 1000..2 * mib]), one(0..2 * mib));
        assert_eq!(spans(&[0..mib, 2 * mib..3 * mib]), [0..mib, 2 * mib..3 * mib]);
        // A gap as large as what is asked for is not read.
        assert_eq!(spans(&[0..100, 200..300]), [0..100, 200..300]);
        assert_eq!(spans(&[5..5, 0..10, 2..4]), one(0..10));
        assert!(spans(&[]).is_empty());
    }

    #[test]
    fn pieces_cover_their_span() {
        let span = 7..7 + 2 * MOST_BYTES + 3;
        let pieces = pieces(&span);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces.iter().map(|piece| piece.end - piece.start).sum::<u64>(), span.end - span.start);
        assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}
