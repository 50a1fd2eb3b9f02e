select
  b.id as budget_id,
  b.name as budget_name,
  b.currency_iso_code as currency,
  b.currency_symbol,
  b.currency_symbol_first as symbol_first,
  b.currency_decimal_digits::integer as decimal_digits,
  b.currency_decimal_separator as decimal_separator,
  b.currency_group_separator as group_separator,
  b.date_format_string as date_format,
  b.first_month::date as first_month,
  b.last_month::date as last_month,
  coalesce(greatest(synced.day, used.day), (now() at time zone 'utc')::date) as as_of
from {{ source('ynab', 'budgets') }} as b
-- PostgreSQL leaves these joins out of a query that does not use the column.
left join (
  select budget_id, max(finished_at)::date as day
  from {{ source('ynab', 'syncs') }}
  where status = 'succeeded'
  group by budget_id
) as synced on synced.budget_id = b.id
left join (
  select t.budget_id, max(t.date)::date as day
  from {{ source('ynab', 'transactions') }} as t
  where {{ alive('t') }}
  group by t.budget_id
) as used on used.budget_id = b.id
where {{ alive('b') }}
