-- The days of the calendar, for metrics over time.
select day, week_start, month_start, quarter_start, year_start
from {{ source('rfmill', 'dim_date') }}
