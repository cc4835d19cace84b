-- Key figures of every as-of date beside those of the same period a year before.
-- tables: segments, dim_period
CREATE OR REPLACE VIEW year_over_year AS
SELECT
    k.as_of,
    p.label,
    p.same_period_last_year,
    k.slice,
    k.dimension,
    k.dimension_value,
    k.customers,
    b.customers AS customers_last_year,
    CAST(k.customers AS DOUBLE PRECISION) / nullif(b.customers, 0) - 1 AS customers_growth,
    k.orders,
    b.orders AS orders_last_year,
    CAST(k.orders AS DOUBLE PRECISION) / nullif(b.orders, 0) - 1 AS orders_growth,
    k.revenue,
    b.revenue AS revenue_last_year,
    CAST(k.revenue AS DOUBLE PRECISION) / CAST(nullif(b.revenue, 0) AS DOUBLE PRECISION) - 1 AS revenue_growth,
    k.revenue_at_risk,
    b.revenue_at_risk AS revenue_at_risk_last_year
FROM kpis AS k
JOIN dim_period AS p
    ON p.as_of = k.as_of
LEFT JOIN kpis AS b
    ON b.as_of = p.same_period_last_year
    AND b.slice = k.slice
    AND b.dimension = k.dimension
    AND b.dimension_value = k.dimension_value;
