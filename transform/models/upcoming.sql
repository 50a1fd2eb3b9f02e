with steps (frequency, days, months) as (
  values
  ('daily', 1, null::integer),
  ('weekly', 7, null),
  ('everyOtherWeek', 14, null),
  ('every4Weeks', 28, null),
  ('twiceAMonth', null, 1),
  ('monthly', null, 1),
  ('everyOtherMonth', null, 2),
  ('every3Months', null, 3),
  ('every4Months', null, 4),
  ('twiceAYear', null, 6),
  ('yearly', null, 12),
  ('everyOtherYear', null, 24)
),

-- Once for each budget, not for each scheduled transaction
ends as materialized (
  select budget_id, budget_name, currency, as_of from {{ ref('budgets') }}
),

scheduled as materialized (
  select
    s.*,
    s.date_next::date as next_day,
    (b.as_of + interval '1 year')::date as last_day,
    b.budget_name,
    b.currency,
    steps.days,
    steps.months,
    -- Days of the month. The first one counts, so that a 31st comes back after February, unless
    -- the next date is another: then somebody has moved it.
    case
      when steps.months is null then null
      when s.frequency = 'twiceAMonth' then (
        select case when pair.fits then pair.days else {{ twice('next_number') }} end
        from (
          select
            {{ twice('first_number') }} as days,
            next_number in (
              least(({{ twice('first_number') }})[1], length_of_month),
              least(({{ twice('first_number') }})[2], length_of_month)
            ) as fits
        ) as pair
      )
      when next_number = least(first_number, length_of_month) then array[first_number]
      else array[next_number]
    end as month_days
  from {{ source('ynab', 'scheduled_transactions') }} as s
  join ends as b on b.budget_id = s.budget_id
  left join steps on steps.frequency = s.frequency
  cross join lateral (
    select
      extract(day from coalesce(s.date_first, s.date_next))::integer as first_number,
      extract(day from s.date_next)::integer as next_number,
      extract(
        day from date_trunc('month', s.date_next) + interval '1 month' - interval '1 day'
      )::integer as length_of_month
  ) as numbers
  where {{ alive('s') }} and s.date_next is not null
),

due as (
  -- `never`, and what YNAB may add
  select s.budget_id, s.id, s.next_day as date
  from scheduled as s
  where s.days is null and s.months is null and s.next_day <= s.last_day
  union all
  select s.budget_id, s.id, s.next_day + s.days * n
  from scheduled as s
  cross join lateral generate_series(0, (s.last_day - s.next_day) / s.days) as n
  where s.days is not null and s.next_day <= s.last_day
  union all
  select s.budget_id, s.id, day.date
  from scheduled as s
  cross join lateral generate_series(
    date_trunc('month', s.next_day::timestamp), s.last_day, s.months * interval '1 month'
  ) as first_of_month
  cross join lateral unnest(s.month_days) as number
  cross join lateral (
    select least(
      first_of_month + (number - 1) * interval '1 day',
      first_of_month + interval '1 month' - interval '1 day'
    )::date as date
  ) as day
  where s.months is not null and day.date between s.next_day and s.last_day
)

select
  s.budget_id,
  s.budget_name,
  s.currency,
  s.id as scheduled_transaction_id,
  due.date,
  (row_number() over (partition by s.budget_id, s.id order by due.date))::integer as occurrence,
  s.frequency,
  s.account_id,
  a.name as account_name,
  {{ account_kind('a') }} as account_kind,
  coalesce(a.on_budget, true) as on_budget,
  s.payee_id,
  coalesce(p.name, '(no payee)') as payee_name,
  c.category_id,
  case
    when split.is_split then 'Split'
    when c.category_id is not null then c.category_name
    when a.on_budget and s.transfer_account_id is null then 'Uncategorized'
  end as category_name,
  c.category_group_id,
  c.category_group_name,
  split.is_split,
  {{ units('s.amount') }} as amount,
  s.memo,
  nullif(s.flag_color, '') as flag_color,
  s.transfer_account_id,
  other.name as transfer_account_name
from due
join scheduled as s on s.budget_id = due.budget_id and s.id = due.id
cross join lateral (
  select coalesce(bool_or(parts.part is not null), false) as is_split
  from (values (1)) as one
  {{ join_parts('s') }}
) as split
left join {{ source('ynab', 'accounts') }} as a
  on a.id = s.account_id and a.budget_id = s.budget_id
left join {{ source('ynab', 'accounts') }} as other
  on other.id = s.transfer_account_id and other.budget_id = s.budget_id
left join {{ source('ynab', 'payees') }} as p on p.id = s.payee_id and p.budget_id = s.budget_id
left join {{ ref('categories') }} as c
  on c.category_id = s.category_id and c.budget_id = s.budget_id
