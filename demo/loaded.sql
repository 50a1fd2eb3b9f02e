-- What the last run loaded: rows of each stream and budget, from the table syncs.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null ''
select max(started_at) as last_run, count(distinct started_at) = 1 as is_first from ynab.syncs \gset
select sum(rows) as rows, bool_and(mode = 'full') and :'is_first' as is_first
from ynab.syncs where started_at = :'last_run' \gset
select case when :'is_first' then 'First sync: everything.'
  when :rows > 0 then 'Only what changed since the last sync:'
  else 'Nothing changed since the last sync.' end as headline \gset
\echo :headline
select :rows > 0 as has_rows \gset
\if :has_rows
select stream, budget_name as budget, to_char((counted ->> 'rows')::bigint, '999G999') as rows
from ynab.syncs, jsonb_each(streams) as each_stream (stream, counted)
where started_at = :'last_run' and (counted ->> 'rows')::bigint > 0
order by stream, budget desc \crosstabview stream budget rows
\else
\echo
\endif
