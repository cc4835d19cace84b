-- The customers of the newest as-of date.
select *
from {{ source('rfmill', 'customers') }}
where as_of = (select max(as_of) from {{ source('rfmill', 'customers') }})
