with ends as materialized (
  select budget_id, as_of from {{ ref('budgets') }}
),

sums as (
  select
    budget_id,
    account_id,
    sum(amount) as balance,
    coalesce(sum(amount) filter (where cleared <> 'uncleared'), 0.000) as cleared_balance,
    count(*) filter (where cleared = 'uncleared') as uncleared_entries
  from {{ ref('entries') }}
  group by budget_id, account_id
),

compared as (
  select
    a.*,
    b.as_of,
    coalesce(s.balance, 0.000) as entries_balance,
    coalesce(s.cleared_balance, 0.000) as entries_cleared_balance,
    coalesce(s.uncleared_entries, 0) as uncleared_entries
  from {{ ref('accounts') }} as a
  join ends as b on b.budget_id = a.budget_id
  left join sums as s on s.budget_id = a.budget_id and s.account_id = a.account_id
)

select
  budget_id,
  budget_name,
  currency,
  account_id,
  account_name,
  account_kind,
  on_budget,
  closed,
  balance,
  entries_balance,
  balance - entries_balance as balance_difference,
  cleared_balance,
  entries_cleared_balance,
  cleared_balance - entries_cleared_balance as cleared_difference,
  uncleared_entries,
  last_reconciled_at,
  as_of - last_reconciled_at::date as days_since_reconciled,
  balance = entries_balance and cleared_balance = entries_cleared_balance as agrees
from compared
