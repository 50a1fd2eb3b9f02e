{{ config(severity='warn') }}
select m.budget_id, m.month, m.assigned, c.assigned as categories_assigned
from {{ ref('months') }} as m
join (
  select budget_id, month, sum(assigned) as assigned
  from {{ ref('budget_vs_actual') }}
  group by budget_id, month
) as c using (budget_id, month)
where m.assigned <> c.assigned
