-- Key figures of every as-of date by slice and dimension; orders and revenue are those of the lookback. Risk is that of the first scheme that marks states at_risk.
-- tables: segments, dim_state
CREATE OR REPLACE VIEW kpis AS
SELECT
    k.as_of,
    k.slice,
    k.dimension,
    k.dimension_value,
    CAST(sum(k.customers) AS BIGINT) AS customers,
    CAST(sum(k.orders) AS BIGINT) AS orders,
    sum(k.revenue) AS revenue,
    CAST(sum(k.revenue) AS DOUBLE PRECISION) / nullif(sum(k.orders), 0) AS avg_order_value,
    CAST(sum(k.revenue) AS DOUBLE PRECISION) / nullif(sum(k.customers), 0) AS revenue_per_customer,
    CAST(sum(k.repeat_customers) AS BIGINT) AS repeat_customers,
    CAST(sum(k.repeat_customers) AS DOUBLE PRECISION) / nullif(sum(k.customers), 0) AS repeat_rate,
    max(r.money) AS revenue_at_risk,
    sum(k.mean_recency_days * k.customers) / nullif(sum(k.customers), 0) AS mean_recency_days,
    sum(coalesce(k.annual_value, k.revenue_at_risk)) AS annual_value,
    max(r.customers) AS customers_at_risk,
    max(r.scheme) AS risk_scheme
FROM segments AS k
-- The states of every scheme add up to the same customers, so one scheme is enough; jobs may have changed theirs between dates.
JOIN (SELECT as_of, min(scheme) AS scheme FROM segments GROUP BY as_of) AS one
    ON one.as_of = k.as_of AND one.scheme = k.scheme
-- Whose states say who is at risk: all of them, so that nobody at risk is 0. Rows of 0.1.0 have the annual value in revenue_at_risk.
LEFT JOIN (SELECT
        s.as_of,
        s.slice,
        s.dimension,
        s.dimension_value,
        s.scheme,
        CAST(sum(CASE WHEN d.is_at_risk THEN s.customers ELSE 0 END) AS BIGINT) AS customers,
        sum(CASE WHEN d.is_at_risk THEN coalesce(s.annual_value, s.revenue_at_risk) ELSE 0 END) AS money
    FROM segments AS s
    JOIN (SELECT min(scheme) AS scheme
        FROM dim_state
        WHERE is_current AND scheme_place = (SELECT min(scheme_place) FROM dim_state WHERE is_at_risk AND is_current)
    ) AS chosen
        ON chosen.scheme = s.scheme
    LEFT JOIN dim_state AS d
        ON d.scheme = s.scheme AND d.state = s.state
    GROUP BY s.as_of, s.slice, s.dimension, s.dimension_value, s.scheme
) AS r
    ON r.as_of = k.as_of
    AND r.slice = k.slice
    AND r.dimension = k.dimension
    AND r.dimension_value = k.dimension_value
GROUP BY k.as_of, k.slice, k.dimension, k.dimension_value;
