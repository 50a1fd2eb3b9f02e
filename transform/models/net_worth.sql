with ends as materialized (
  select budget_id, as_of from {{ ref('budgets') }}
),

changes as (
  select t.budget_id, t.account_id, t.date::date as date, sum(t.amount) as amount
  from {{ source('ynab', 'transactions') }} as t
  where {{ alive('t') }}
  group by t.budget_id, t.account_id, t.date::date
),

-- Balances with the days on which they hold, rather than a join of days and changes: fast whatever
-- PostgreSQL knows of the tables, which is nothing right after a first load.
balances as (
  select
    c.budget_id,
    c.account_id,
    c.date as first_day,
    coalesce(lead(c.date) over each_account - 1, ends.as_of) as last_day,
    ends.as_of,
    sum(c.amount) over each_account as balance
  from changes as c
  join ends on ends.budget_id = c.budget_id
  window each_account as (partition by c.budget_id, c.account_id order by c.date)
)

select
  a.budget_id,
  a.budget_name,
  a.currency,
  day.date::date as date,
  date_trunc('month', day.date)::date as month,
  day.date = n.as_of or extract(day from day.date + interval '1 day') = 1 as is_month_end,
  a.account_id,
  a.account_name,
  a.account_kind,
  a.on_budget,
  {{ units('n.balance') }} as balance,
  {{ units('greatest(n.balance, 0)') }} as assets,
  {{ units('greatest(-n.balance, 0)') }} as debts
from balances as n
join {{ ref('accounts') }} as a on a.budget_id = n.budget_id and a.account_id = n.account_id
cross join lateral generate_series(
  n.first_day::timestamp, n.last_day::timestamp, interval '1 day'
) as day (date)
