select
  started_at,
  max(finished_at) as finished_at,
  extract(epoch from max(finished_at) - started_at)::numeric as seconds,
  case when bool_or(mode = 'full') then 'full' else 'delta' end as mode,
  case
    when bool_or(status = 'failed') then 'failed'
    when bool_or(status = 'incomplete') then 'incomplete'
    else 'succeeded'
  end as status,
  count(budget_id) as budgets,
  count(budget_id) filter (where status = 'failed') as failed_budgets,
  coalesce(sum(rows), 0) as rows,
  coalesce(sum(requests), 0) as requests,
  string_agg(coalesce(budget_name || ': ', '') || error, e'\n' order by budget_name) as errors
from {{ source('ynab', 'syncs') }}
group by started_at
