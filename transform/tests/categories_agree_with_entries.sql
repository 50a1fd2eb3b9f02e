{{ config(severity='warn') }}
-- Of credit card payments, YNAB's activity also has what was spent with the card.
select b.budget_id, b.month, b.category_id, b.activity, -s.spent as entries_activity
from {{ ref('budget_vs_actual') }} as b
left join (
  select budget_id, month, category_id, sum(spent) as spent
  from {{ ref('spending') }}
  group by budget_id, month, category_id
) as s using (budget_id, month, category_id)
where b.category_kind = 'spending' and b.activity <> coalesce(-s.spent, 0)
