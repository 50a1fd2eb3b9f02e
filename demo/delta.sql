-- What the last run loaded, and the transactions among it.
\ir loaded.sql
select date, left(payee_name, 20) as payee,
  to_char(amount / 1000.0, '999G990D00') as amount, left(memo, 18) as memo,
  case when deleted then 'deleted' end as state
from ynab.transactions
where _sdc_sync_started_at = (select max(_sdc_sync_started_at) from ynab.budgets)
order by date;
