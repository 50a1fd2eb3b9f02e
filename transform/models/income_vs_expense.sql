with own as (
  select
    budget_id,
    month,
    coalesce(sum(amount) filter (where kind = 'income'), 0.000) as income,
    coalesce(-sum(amount) filter (where kind = 'spending'), 0.000) as expense
  from {{ ref('entries') }}
  where kind in ('income', 'spending')
  group by budget_id, month
),

both_totals as (
  select
    coalesce(o.budget_id, m.budget_id) as budget_id,
    coalesce(o.month, m.month) as month,
    coalesce(o.income, 0.000) as income,
    coalesce(o.expense, 0.000) as expense,
    m.income as ynab_income,
    -m.activity as ynab_expense
  from own as o
  full join {{ ref('months') }} as m on m.budget_id = o.budget_id and m.month = o.month
)

select
  b.budget_id,
  b.budget_name,
  b.currency,
  t.month,
  t.income,
  t.expense,
  t.income - t.expense as net,
  case when t.income > 0 then round((t.income - t.expense) / t.income, 4) end as savings_rate,
  t.ynab_income,
  t.ynab_expense,
  t.income - t.ynab_income as income_difference,
  t.expense - t.ynab_expense as expense_difference
from both_totals as t
join {{ ref('budgets') }} as b on b.budget_id = t.budget_id
