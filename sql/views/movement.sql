-- Transitions between states with labels and their direction on the ladder (up, down, same, other, in, out); is_nearest marks those since the date before.
-- tables: transitions, dim_state
CREATE OR REPLACE VIEW movement AS
SELECT
    t.as_of,
    t.from_as_of,
    t.slice,
    t.dimension,
    t.dimension_value,
    t.scheme,
    t.from_state,
    coalesce(f.label_en, t.from_state) AS from_label_en,
    coalesce(f.label_zh_hans, t.from_state) AS from_label_zh_hans,
    f.rank AS from_ladder_rank,
    t.to_state,
    coalesce(d.label_en, t.to_state) AS to_label_en,
    coalesce(d.label_zh_hans, t.to_state) AS to_label_zh_hans,
    d.rank AS to_ladder_rank,
    CASE
        WHEN t.from_state = t.to_state THEN 'same'
        WHEN t.from_state = '(none)' THEN 'in'
        WHEN t.to_state = '(none)' THEN 'out'
        WHEN d.rank < f.rank THEN 'up'
        WHEN d.rank > f.rank THEN 'down'
        ELSE 'other'
    END AS direction,
    t.customers,
    t.rate,
    t.rate_low,
    t.rate_high,
    t.revenue,
    t.from_as_of = n.from_as_of AS is_nearest
FROM transitions AS t
LEFT JOIN dim_state AS f
    ON f.scheme = t.scheme AND f.state = t.from_state
LEFT JOIN dim_state AS d
    ON d.scheme = t.scheme AND d.state = t.to_state
LEFT JOIN (SELECT as_of, max(from_as_of) AS from_as_of FROM transitions GROUP BY as_of) AS n
    ON n.as_of = t.as_of;
