-- Streams with their rows and bookmarks, and three figures. `state` is Meltano's, as JSON.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null ''
select string_agg(format(
  'select %L as stream, count(*) as rows, '
  'count(*) filter (where deleted or _sdc_deleted_at is not null) as deleted from ynab.%I',
  relname, relname), ' union all ') as counts
from pg_class where relnamespace = 'ynab'::regnamespace and relkind = 'r' \gset
with bookmarks as (
  select key as stream, string_agg(partition ->> 'replication_key_value', ', ') as bookmarks
  from jsonb_each(:'state'::jsonb #> '{singer_state,bookmarks}'),
    jsonb_array_elements(value -> 'partitions') as partition
  group by key
)
select stream, rows, deleted, bookmarks as "bookmarks (server_knowledge of each budget)"
from (:counts) as counts left join bookmarks using (stream) order by stream;

select budgets.name as budget, currency_iso_code as currency,
  to_char(sum(balance) / 1000.0, 'FM999G999G990D00') as "net worth",
  (select age_of_money || ' days' from ynab.months
    where budget_id = budgets.id and age_of_money is not null and not deleted
    order by month desc limit 1) as "age of money"
from ynab.budgets join ynab.accounts on budget_id = budgets.id
where not accounts.deleted and accounts._sdc_deleted_at is null
group by budgets.id, budgets.name, currency_iso_code order by budget desc;

select budgets.name as budget, category_group_name as "group", categories.name as category,
  to_char(-activity / 1000.0, 'FM999G999G990D00') as "spent this month"
from ynab.categories join ynab.budgets on budgets.id = budget_id
where activity < 0 and not categories.deleted and categories._sdc_deleted_at is null
  and not internal
order by budget desc, activity limit 12;
