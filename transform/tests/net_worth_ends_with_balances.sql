{{ config(severity='warn') }}
select a.budget_id, a.account_id, a.balance, n.balance as last_balance
from {{ ref('accounts') }} as a
join {{ ref('budgets') }} as b on b.budget_id = a.budget_id
left join {{ ref('net_worth') }} as n
  on n.budget_id = a.budget_id and n.account_id = a.account_id and n.date = b.as_of
where a.balance <> coalesce(n.balance, 0)
