select
  b.budget_id,
  b.budget_name,
  b.currency,
  a.id as account_id,
  a.name as account_name,
  {{ account_kind('a') }} as account_kind,
  coalesce(a.on_budget, true) as on_budget,
  a.type as account_type,
  coalesce(a.closed, false) as closed,
  {{ units('a.balance') }} as balance,
  {{ units('a.cleared_balance') }} as cleared_balance,
  {{ units('a.uncleared_balance') }} as uncleared_balance,
  a.last_reconciled_at,
  a.note
from {{ source('ynab', 'accounts') }} as a
join {{ ref('budgets') }} as b on b.budget_id = a.budget_id
where {{ alive('a') }}
