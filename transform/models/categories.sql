-- Deleted ones, too: transactions may still be in them.
select
  b.budget_id,
  b.budget_name,
  c.id as category_id,
  c.name as category_name,
  g.id as category_group_id,
  g.name as category_group_name,
  case
    -- The group keeps its English name in every language, and so do the categories in it.
    when (c.internal or g.internal or g.name = 'Internal Master Category') and c.name = 'Uncategorized'
      then 'uncategorized'
    when (c.internal or g.internal or g.name = 'Internal Master Category')
      and c.name ~ '^(Inflow: |Immediate Income|Deferred Income|To be Budgeted)'
      then 'inflow'
    when g.name = 'Credit Card Payments' then 'credit card payment'
    else 'spending'
  end as category_kind,
  coalesce(c.hidden, false) or coalesce(g.hidden, false) as is_hidden,
  not ({{ alive('c') }}) as is_deleted
from {{ source('ynab', 'categories') }} as c
join {{ ref('budgets') }} as b on b.budget_id = c.budget_id
left join {{ source('ynab', 'category_groups') }} as g
  on g.id = c.category_group_id and g.budget_id = c.budget_id
