-- Transitions between states with labels and their direction on the ladder (up, down, same, other, in, out).
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
    t.revenue
FROM transitions AS t
LEFT JOIN dim_state AS f
    ON f.scheme = t.scheme AND f.state = t.from_state AND f.as_of = (SELECT max(as_of) FROM dim_state)
LEFT JOIN dim_state AS d
    ON d.scheme = t.scheme AND d.state = t.to_state AND d.as_of = (SELECT max(as_of) FROM dim_state);
