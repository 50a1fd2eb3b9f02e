with sides as (
  select * from {{ ref('entries') }} where transfer_account_id is not null
),

pairs as (
  select
    s.*,
    o.entry_id as other_id,
    o.category_id as other_category_id,
    o.category_name as other_category_name,
    o.account_kind as other_kind,
    -- The side that money left stands for both; of two without an amount, the one with the lower id.
    row_number() over (
      partition by
        s.budget_id, least(s.entry_id, o.entry_id), greatest(s.entry_id, o.entry_id)
      order by s.amount, s.entry_id
    ) as side
  from sides as s
  left join sides as o on o.budget_id = s.budget_id and o.entry_id = s.transfer_entry_id
  -- Another side may name this one, while this one names the whole split that the other is part of.
  left join sides as namer
    on o.entry_id is null and namer.budget_id = s.budget_id
    and namer.transfer_entry_id = s.entry_id
  where namer.entry_id is null
),

transfers as (
  select
    p.*,
    p.amount > 0 as is_inflow, -- only if the other side is missing
    case when p.amount > 0 then p.transfer_account_id else p.account_id end as from_account_id,
    case when p.amount > 0 then p.account_id else p.transfer_account_id end as to_account_id
  from pairs as p
  where p.side = 1
)

select
  t.budget_id,
  t.budget_name,
  t.currency,
  t.entry_id as transfer_id,
  t.date,
  t.month,
  t.from_account_id,
  case when t.is_inflow then t.transfer_account_name else t.account_name end as from_account_name,
  t.to_account_id,
  case when t.is_inflow then t.account_name else t.transfer_account_name end as to_account_name,
  abs(t.amount) as amount,
  case when t.is_inflow then t.other_id else t.entry_id end as from_entry_id,
  case when t.is_inflow then t.entry_id else t.other_id end as to_entry_id,
  coalesce(a.account_kind = 'cash' and o.account_kind = 'credit', false) as is_credit_card_payment,
  coalesce(t.category_id, t.other_category_id) as category_id,
  case
    when t.category_id is not null then t.category_name
    when t.other_category_id is not null then t.other_category_name
  end as category_name
from transfers as t
left join {{ ref('accounts') }} as a
  on a.budget_id = t.budget_id and a.account_id = t.from_account_id
left join {{ ref('accounts') }} as o
  on o.budget_id = t.budget_id and o.account_id = t.to_account_id
