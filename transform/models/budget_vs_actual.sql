with credit as materialized (
  select budget_id, month, category_id, greatest(-sum(amount), 0) as spent
  from {{ ref('entries') }}
  where kind = 'spending' and account_kind = 'credit'
  group by budget_id, month, category_id
),

months as (
  select
    m.*,
    greatest({{ units('-m.balance') }}, 0.000) as overspent
  from {{ source('ynab', 'month_categories') }} as m
  where {{ alive('m') }}
)

select
  c.budget_id,
  c.budget_name,
  b.currency,
  m.month::date as month,
  c.category_id,
  c.category_name,
  c.category_group_id,
  c.category_group_name,
  c.category_kind,
  c.is_hidden,
  {{ units('m.budgeted') }} as assigned,
  {{ units('m.activity') }} as activity,
  {{ units('m.balance') }} as available,
  m.overspent,
  m.overspent - least(m.overspent, coalesce(credit.spent, 0.000)) as overspent_cash,
  least(m.overspent, coalesce(credit.spent, 0.000)) as overspent_credit,
  m.goal_type,
  {{ units('m.goal_target') }} as goal_target,
  coalesce(m.goal_target_date, m.goal_target_month)::date as goal_target_date,
  m.goal_percentage_complete::integer as goal_percentage_complete,
  {{ units('m.goal_under_funded') }} as goal_under_funded,
  {{ units('m.goal_overall_funded') }} as goal_overall_funded,
  {{ units('m.goal_overall_left') }} as goal_overall_left
from months as m
join {{ ref('categories') }} as c
  on c.category_id = m.category_id and c.budget_id = m.budget_id
join {{ ref('budgets') }} as b on b.budget_id = m.budget_id
left join credit
  on credit.budget_id = m.budget_id and credit.month = m.month::date
  and credit.category_id = m.category_id
where c.category_kind <> 'inflow'
