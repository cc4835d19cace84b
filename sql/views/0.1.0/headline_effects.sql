-- Headline effects of the newest evaluation, one row per strategy, period, arm and tier, with verdict, reason and the same period last year.
-- tables: effects, verdicts
CREATE OR REPLACE VIEW headline_effects AS
SELECT
    e.as_of,
    e.strategy,
    e.period_start,
    e.period_end,
    e.phase,
    e.arm,
    e.scheme,
    e.state,
    v.verdict,
    v.reason,
    v.rank AS strategy_rank,
    e.outcome,
    e.design,
    e.method,
    e.n_treated,
    e.n_control,
    e.mean_treated,
    e.mean_control,
    e.difference,
    e.ci_low,
    e.ci_high,
    e.p_value,
    e.p_adjusted,
    e.lift,
    e.lift_low,
    e.lift_high,
    y.difference AS difference_last_year,
    y.lift AS lift_last_year,
    e.incremental,
    e.cost,
    e.roi,
    e.roi_low,
    e.roi_high,
    e.net_margin_per_customer,
    e.net_margin_low,
    e.net_margin_high,
    e.not_estimable
FROM effects AS e
LEFT JOIN verdicts AS v
    ON v.as_of = e.as_of
    AND v.strategy = e.strategy
    AND v.arm = e.arm
    AND v.scheme = e.scheme
    AND v.state = e.state
    AND v.period_start = e.period_start
    AND v.period_end = e.period_end
LEFT JOIN effects AS y
    ON y.as_of = e.as_of
    AND y.strategy = e.strategy
    AND y.phase = e.phase
    AND y.arm = e.arm
    AND y.outcome = e.outcome
    AND y.scheme = e.scheme
    AND y.state = e.state
    AND y.method = e.method
    AND y.period_start = CAST(e.period_start - INTERVAL '1 year' AS DATE)
WHERE e.headline AND e.as_of = (SELECT max(as_of) FROM effects);
