-- Segments of every as-of date, of everybody and by one scheme, the first of the job: what has one date and one slice may be added.
-- tables: segments, dim_state, dim_period, dim_date
CREATE OR REPLACE VIEW segment_history AS
SELECT
    s.as_of,
    p.label AS period_label,
    p.is_partial,
    p.history_complete,
    p.definitions_hash,
    c.year,
    c.quarter_label,
    c.month_label,
    c.week_label,
    s.slice,
    s.scheme,
    s.state,
    d.rank AS ladder_rank,
    coalesce(d.label_en, s.state) AS label_en,
    coalesce(d.label_zh_hans, s.state) AS label_zh_hans,
    d.colour,
    d.is_at_risk,
    d.is_current,
    s.customers,
    s.customer_share,
    s.orders,
    s.revenue,
    s.revenue_share,
    s.repeat_customers,
    coalesce(s.annual_value, s.revenue_at_risk) AS annual_value,
    -- Rows of 0.1.0 have the annual value of everybody in it.
    CASE WHEN d.is_at_risk THEN coalesce(s.annual_value, s.revenue_at_risk) END AS revenue_at_risk,
    CASE WHEN d.is_at_risk THEN s.customers END AS customers_at_risk
FROM segments AS s
JOIN (SELECT
        o.as_of,
        min(o.scheme) AS first_name,
        min(CASE WHEN f.scheme IS NOT NULL THEN o.scheme END) AS first_scheme
    FROM segments AS o
    LEFT JOIN (SELECT DISTINCT scheme
        FROM dim_state
        WHERE is_current AND scheme_place = 1
    ) AS f
        ON f.scheme = o.scheme
    GROUP BY o.as_of
) AS one
    ON one.as_of = s.as_of AND s.scheme = coalesce(one.first_scheme, one.first_name)
LEFT JOIN dim_state AS d
    ON d.scheme = s.scheme AND d.state = s.state
LEFT JOIN dim_period AS p
    ON p.as_of = s.as_of
LEFT JOIN dim_date AS c
    ON c.day = s.as_of
WHERE s.dimension = '(all)';
