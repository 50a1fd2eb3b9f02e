with ends as materialized (
  select budget_id, as_of from {{ ref('budgets') }}
),

scheduled as materialized (
  select * from {{ ref('upcoming') }}
),

sides as (
  select budget_id, date, account_id, amount from scheduled
  union all
  select budget_id, date, transfer_account_id, -amount
  from scheduled
  where transfer_account_id is not null and not is_split
  union all
  -- Parts of a split that are transfers
  select
    u.budget_id,
    u.date,
    parts.part ->> 'transfer_account_id',
    {{ units("-(parts.part ->> 'amount')::bigint") }}
  from scheduled as u
  join {{ source('ynab', 'scheduled_transactions') }} as s
    on s.id = u.scheduled_transaction_id and s.budget_id = u.budget_id
  {{ join_parts('s') }}
  where parts.part ->> 'transfer_account_id' is not null
),

changes as (
  select s.budget_id, s.account_id, greatest(s.date, b.as_of) as date, sum(s.amount) as change
  from sides as s
  join ends as b on b.budget_id = s.budget_id
  group by 1, 2, 3
),

days as (
  select
    a.*,
    day.date::date as date,
    coalesce(c.change, 0.000) as change,
    a.balance + sum(coalesce(c.change, 0.000)) over (
      partition by a.budget_id, a.account_id order by day.date
    ) as projected
  from {{ ref('accounts') }} as a
  join ends as b on b.budget_id = a.budget_id
  cross join lateral generate_series(
    b.as_of::timestamp, b.as_of + interval '1 year', interval '1 day'
  ) as day (date)
  left join changes as c
    on c.budget_id = a.budget_id and c.account_id = a.account_id and c.date = day.date::date
  where not a.closed
),

marked as (
  select
    d.*,
    min(d.date) filter (where d.projected < 0 and d.account_kind in ('cash', 'asset')) over (
      partition by d.budget_id, d.account_id
    ) as first_below_zero
  from days as d
)

select
  budget_id,
  budget_name,
  currency,
  date,
  account_id,
  account_name,
  account_kind,
  on_budget,
  change,
  projected as balance,
  first_below_zero,
  coalesce(date = first_below_zero, false) as is_first_below_zero
from marked
