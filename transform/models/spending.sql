select
  budget_id,
  budget_name,
  currency,
  month,
  category_id,
  category_name,
  category_group_id,
  category_group_name,
  payee_id,
  payee_name,
  -sum(amount) as spent,
  count(*) as entries
from {{ ref('entries') }}
where kind = 'spending'
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
