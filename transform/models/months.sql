select
  b.budget_id,
  b.budget_name,
  b.currency,
  m.month::date as month,
  {{ units('m.to_be_budgeted') }} as ready_to_assign,
  m.age_of_money::integer as age_of_money,
  {{ units('m.income') }} as income,
  {{ units('m.budgeted') }} as assigned,
  {{ units('m.activity') }} as activity,
  m.note
from {{ source('ynab', 'months') }} as m
join {{ ref('budgets') }} as b on b.budget_id = m.budget_id
where {{ alive('m') }}
