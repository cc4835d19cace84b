-- Segments of every as-of date, of everybody and by one scheme, the first of the job: what has one date and one slice may be added.
select
    cast(s.as_of as varchar) || '|' || s.slice || '|' || s.state as segment_key,
    s.as_of,
    s.slice,
    s.state,
    coalesce(d.label_en, s.state) as label_en,
    coalesce(d.is_at_risk, false) as is_at_risk,
    s.customers,
    s.orders,
    s.revenue,
    coalesce(s.annual_value, s.revenue_at_risk) as annual_value,
    case when d.is_at_risk then s.customers end as customers_at_risk,
    -- Rows of 0.1.0 have the annual value of everybody in revenue_at_risk.
    case when d.is_at_risk then coalesce(s.annual_value, s.revenue_at_risk) end as revenue_at_risk
from {{ source('rfmill', 'segments') }} as s
left join {{ source('rfmill', 'dim_state') }} as d
    on d.scheme = s.scheme and d.state = s.state
where s.dimension = '(all)'
    and s.scheme in (select scheme from {{ source('rfmill', 'dim_state') }} where is_current and scheme_place = 1)
