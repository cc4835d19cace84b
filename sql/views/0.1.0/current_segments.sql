-- Segments at the newest as-of date with their labels, best state first by ladder_rank, and how many customers came or went since the date before.
-- tables: segments, dim_state
CREATE OR REPLACE VIEW current_segments AS
SELECT
    s.as_of,
    s.slice,
    s.dimension,
    s.dimension_value,
    s.scheme,
    s.state,
    d.rank AS ladder_rank,
    coalesce(d.label_en, s.state) AS label_en,
    coalesce(d.label_zh_hans, s.state) AS label_zh_hans,
    d.colour,
    d.definition,
    d.action,
    s.customers,
    s.customer_share,
    s.customers - coalesce(b.customers, 0) AS customers_change,
    s.orders,
    s.revenue,
    s.revenue_share,
    s.avg_order_value,
    s.repeat_customers,
    s.revenue_at_risk,
    s.mean_recency_days,
    s.mean_frequency,
    s.mean_monetary
FROM segments AS s
LEFT JOIN dim_state AS d
    ON d.scheme = s.scheme AND d.state = s.state AND d.as_of = (SELECT max(as_of) FROM dim_state)
LEFT JOIN segments AS b
    ON b.as_of = (SELECT max(as_of) FROM segments WHERE as_of < (SELECT max(as_of) FROM segments))
    AND b.slice = s.slice
    AND b.dimension = s.dimension
    AND b.dimension_value = s.dimension_value
    AND b.scheme = s.scheme
    AND b.state = s.state
WHERE s.as_of = (SELECT max(as_of) FROM segments);
