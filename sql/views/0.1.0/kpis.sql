-- Key figures of every as-of date by slice and dimension; orders and revenue are those of the lookback.
-- tables: segments
CREATE OR REPLACE VIEW kpis AS
SELECT
    as_of,
    slice,
    dimension,
    dimension_value,
    CAST(sum(customers) AS BIGINT) AS customers,
    CAST(sum(orders) AS BIGINT) AS orders,
    sum(revenue) AS revenue,
    CAST(sum(revenue) AS DOUBLE PRECISION) / nullif(sum(orders), 0) AS avg_order_value,
    CAST(sum(revenue) AS DOUBLE PRECISION) / nullif(sum(customers), 0) AS revenue_per_customer,
    CAST(sum(repeat_customers) AS BIGINT) AS repeat_customers,
    CAST(sum(repeat_customers) AS DOUBLE PRECISION) / nullif(sum(customers), 0) AS repeat_rate,
    sum(revenue_at_risk) AS revenue_at_risk,
    sum(mean_recency_days * customers) / nullif(sum(customers), 0) AS mean_recency_days
FROM segments
-- The states of every scheme add up to the same customers, so one scheme is enough.
WHERE scheme = (SELECT min(scheme) FROM segments)
GROUP BY as_of, slice, dimension, dimension_value;
