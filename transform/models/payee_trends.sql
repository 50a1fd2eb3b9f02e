with months as (
  select
    budget_id,
    budget_name,
    currency,
    payee_id,
    payee_name,
    month,
    coalesce(-sum(amount) filter (where kind = 'spending'), 0.000) as spent,
    coalesce(sum(amount) filter (where kind = 'income'), 0.000) as income,
    count(*) as entries,
    bool_and(transfer_account_id is not null) as is_transfer
  from {{ ref('entries') }}
  where kind in ('spending', 'income')
  group by 1, 2, 3, 4, 5, 6
),

payees as (
  select
    *,
    sum(entries) over (partition by budget_id, payee_id) as all_entries,
    -- `&amp;` comes from imports. A name of nothing but digits and signs is compared as it is. The
    -- payee of a transfer stands for an account: "Loan 1" and "Loan 2" are not the same.
    case when is_transfer then payee_id else coalesce(
      nullif(
        regexp_replace(
          replace(lower(payee_name), '&amp;', '&'), '[[:space:]0-9!-/:-@\[-`{-~]+', '', 'g'
        ),
        ''
      ),
      payee_name
    ) end as likeness
  from months
),

likely as (
  select
    *,
    first_value(payee_id) over alike as likely_id,
    first_value(payee_name) over alike as likely_name
  from payees
  window alike as (
    partition by budget_id, payee_id is null, likeness order by all_entries desc, payee_id
  )
)

select
  budget_id,
  budget_name,
  currency,
  payee_id,
  payee_name,
  month,
  spent,
  income,
  entries,
  nullif(likely_id, payee_id) as likely_duplicate_of_id,
  case when likely_id <> payee_id then likely_name end as likely_duplicate_of_name
from likely
