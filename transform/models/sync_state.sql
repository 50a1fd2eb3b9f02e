with runs as (
  select
    s.budget_id,
    noted.stream,
    s.finished_at,
    s.status,
    s.error,
    (noted.numbers ->> 'rows')::bigint as rows,
    (noted.numbers ->> 'to')::bigint as server_knowledge,
    row_number() over (
      partition by s.budget_id, noted.stream order by s.started_at desc
    ) as age
  from {{ source('ynab', 'syncs') }} as s
  cross join lateral jsonb_each(
    case when jsonb_typeof(s.streams) = 'object' then s.streams end
  ) as noted (stream, numbers)
),

states as (
  select
    budget_id,
    stream,
    max(finished_at) filter (where age = 1) as last_run_at,
    max(status) filter (where age = 1) as last_status,
    max(error) filter (where age = 1) as last_error,
    max(finished_at) filter (where status = 'succeeded') as last_success_at,
    max(rows) filter (where age = 1) as last_rows,
    sum(rows) as total_rows,
    max(server_knowledge) filter (where age = 1) as server_knowledge
  from runs
  group by budget_id, stream
)

select
  b.budget_id,
  b.budget_name,
  s.stream,
  s.last_run_at,
  s.last_status,
  s.last_error,
  s.last_success_at,
  round((extract(epoch from (now() at time zone 'utc') - s.last_success_at) / 3600)::numeric, 1)
    as hours_since_success,
  s.last_rows,
  s.total_rows,
  s.server_knowledge
from states as s
join {{ ref('budgets') }} as b on b.budget_id = s.budget_id
