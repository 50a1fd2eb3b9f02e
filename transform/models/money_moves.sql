select
  b.budget_id,
  b.budget_name,
  b.currency,
  m.id as money_movement_id,
  m.month::date as month,
  m.moved_at,
  m.from_category_id,
  case when m.from_category_id is null then 'Ready to Assign' else source.category_name end
    as from_category_name,
  m.to_category_id,
  case when m.to_category_id is null then 'Ready to Assign' else target.category_name end
    as to_category_name,
  {{ units('m.amount') }} as amount,
  coalesce(m.note, g.note) as note
from {{ source('ynab', 'money_movements') }} as m
join {{ ref('budgets') }} as b on b.budget_id = m.budget_id
left join {{ source('ynab', 'money_movement_groups') }} as g
  on g.id = m.money_movement_group_id and g.budget_id = m.budget_id
left join {{ ref('categories') }} as source
  on source.category_id = m.from_category_id and source.budget_id = m.budget_id
left join {{ ref('categories') }} as target
  on target.category_id = m.to_category_id and target.budget_id = m.budget_id
where {{ alive('m') }}
