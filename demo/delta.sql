-- What the last run wrote: rows of each stream, and the transactions among them.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null ''
select max(_sdc_sync_started_at) as last_run from ynab.budgets \gset
select string_agg(format(
  'select %L as stream, count(*) as "rows written" from ynab.%I where _sdc_sync_started_at = %s',
  relname, relname, :last_run), ' union all ') || ' order by stream' as counts
from pg_class where relnamespace = 'ynab'::regnamespace and relkind = 'r' \gset
:counts;

select date, payee_name as payee, to_char(amount / 1000.0, 'FM999G999G990D00') as amount, memo,
  case when deleted then 'deleted' end as state
from ynab.transactions where _sdc_sync_started_at = :last_run order by date;
