with entries as (
  select
    t.budget_id,
    coalesce(parts.part ->> 'id', t.id) as entry_id,
    t.id as transaction_id,
    parts.part is not null as is_part,
    t.date::date as date,
    t.account_id,
    coalesce(parts.part ->> 'payee_id', t.payee_id) as payee_id,
    -- The category of a split as a whole, "Split", is in no list: a part does not inherit it.
    case
      when parts.part is null then t.category_id
      when parts.part ->> 'transfer_account_id' is null
        then coalesce(parts.part ->> 'category_id', t.category_id)
      else parts.part ->> 'category_id'
    end as category_id,
    coalesce((parts.part ->> 'amount')::bigint, t.amount) as amount,
    coalesce(parts.part ->> 'memo', t.memo) as memo,
    t.cleared,
    t.approved,
    t.flag_color,
    t.flag_name,
    case when parts.part is null then t.transfer_account_id
      else parts.part ->> 'transfer_account_id' end as transfer_account_id,
    case when parts.part is null then t.transfer_transaction_id
      else parts.part ->> 'transfer_transaction_id' end as transfer_entry_id
  from {{ source('ynab', 'transactions') }} as t
  {{ join_parts('t') }}
  where {{ alive('t') }}
)

select
  b.budget_id,
  b.budget_name,
  b.currency,
  e.entry_id,
  e.transaction_id,
  e.is_part,
  e.date,
  date_trunc('month', e.date)::date as month,
  e.account_id,
  a.name as account_name,
  {{ account_kind('a') }} as account_kind,
  coalesce(a.on_budget, true) as on_budget,
  e.payee_id,
  coalesce(p.name, '(no payee)') as payee_name,
  c.category_id,
  coalesce(c.category_name, case when kinds.kind = 'spending' then 'Uncategorized' end)
    as category_name,
  c.category_group_id,
  c.category_group_name,
  kinds.kind,
  {{ units('e.amount') }} as amount,
  e.memo,
  e.cleared,
  e.approved,
  nullif(e.flag_color, '') as flag_color,
  e.flag_name,
  e.transfer_account_id,
  other.name as transfer_account_name,
  e.transfer_entry_id
from entries as e
join {{ ref('budgets') }} as b on b.budget_id = e.budget_id
left join {{ source('ynab', 'accounts') }} as a
  on a.id = e.account_id and a.budget_id = e.budget_id
left join {{ source('ynab', 'accounts') }} as other
  on other.id = e.transfer_account_id and other.budget_id = e.budget_id
left join {{ source('ynab', 'payees') }} as p on p.id = e.payee_id and p.budget_id = e.budget_id
left join {{ ref('categories') }} as c
  on c.category_id = e.category_id and c.budget_id = e.budget_id
cross join lateral (
  select case
    -- Between two accounts on budget, or out of a tracking account. If the other account is
    -- unknown, the category tells: YNAB has one exactly if money left or entered the budget.
    when e.transfer_account_id is not null
      and (not a.on_budget or coalesce(other.on_budget, c.category_id is null))
      then 'transfer'
    when not a.on_budget then 'tracking'
    when c.category_kind = 'inflow' then 'income'
    else 'spending'
  end as kind
) as kinds
