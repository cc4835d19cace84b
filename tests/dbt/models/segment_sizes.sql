-- Sizes and revenue of the segments over time.
select as_of, slice, scheme, state, customers, revenue
from {{ source('rfmill', 'segments') }}
where dimension = '(all)'
