-- The views of transform/ for people without dbt, as dbt has compiled them from the schema "ynab".
-- Apply it as often as you like. transform/README.md says more.
begin;
set local client_min_messages = warning;
create schema if not exists "budget";


create or replace view "budget"."budgets" as
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
from "ynab"."budgets" as b
-- PostgreSQL leaves these joins out of a query that does not use the column.
left join (
  select budget_id, max(finished_at)::date as day
  from "ynab"."syncs"
  where status = 'succeeded'
  group by budget_id
) as synced on synced.budget_id = b.id
left join (
  select t.budget_id, max(t.date)::date as day
  from "ynab"."transactions" as t
  where t.deleted is not true and t._sdc_deleted_at is null
  group by t.budget_id
) as used on used.budget_id = b.id
where b.deleted is not true and b._sdc_deleted_at is null;
comment on view "budget"."budgets" is 'Budgets, with the formats in which people read their amounts and dates. One row for each budget.';
comment on column "budget"."budgets"."budget_id" is 'Budget''s id';
comment on column "budget"."budgets"."budget_name" is 'Budget''s name';
comment on column "budget"."budgets"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."budgets"."currency_symbol" is 'Symbol of the currency';
comment on column "budget"."budgets"."symbol_first" is 'Whether the symbol stands before the amount';
comment on column "budget"."budgets"."decimal_digits" is 'Digits after the decimal separator';
comment on column "budget"."budgets"."decimal_separator" is 'Between whole units and decimals';
comment on column "budget"."budgets"."group_separator" is 'Between thousands';
comment on column "budget"."budgets"."date_format" is 'How dates are written, such as `YYYY-MM-DD`';
comment on column "budget"."budgets"."first_month" is 'First month of the budget';
comment on column "budget"."budgets"."last_month" is 'Last month of the budget';
comment on column "budget"."budgets"."as_of" is 'Day up to which the data goes, in UTC: that of the last successful sync, or of the last transaction if that is later';

create or replace view "budget"."sync_runs" as
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
from "ynab"."syncs"
group by started_at;
comment on view "budget"."sync_runs" is 'Runs of the tap, over all budgets. It has no budget, so no currency. One row for each run of the tap.';
comment on column "budget"."sync_runs"."started_at" is 'Start of the run, in UTC';
comment on column "budget"."sync_runs"."finished_at" is 'End of the run, in UTC';
comment on column "budget"."sync_runs"."seconds" is 'How long it took';
comment on column "budget"."sync_runs"."mode" is '`full` if any budget was read in full, else `delta`';
comment on column "budget"."sync_runs"."status" is '`failed` if anything failed, else `incomplete` if the hourly limit left something, else `succeeded`';
comment on column "budget"."sync_runs"."budgets" is 'Budgets in the run; 0 if they could not be listed';
comment on column "budget"."sync_runs"."failed_budgets" is 'Budgets that failed';
comment on column "budget"."sync_runs"."rows" is 'Rows that were read';
comment on column "budget"."sync_runs"."requests" is 'Requests to YNAB';
comment on column "budget"."sync_runs"."errors" is 'What went wrong, one line for each budget; null if nothing did';

create or replace view "budget"."accounts" as
select
  b.budget_id,
  b.budget_name,
  b.currency,
  a.id as account_id,
  a.name as account_name,
  case
    when a.type in ('creditCard', 'lineOfCredit') then 'credit'
    when a.type in ('mortgage', 'autoLoan', 'studentLoan', 'personalLoan', 'medicalDebt',
      'otherDebt', 'otherLiability') then 'loan'
    when a.type in ('checking', 'savings', 'cash', 'payPal', 'merchantAccount') then 'cash'
    when a.on_budget then 'cash'
    else 'asset'
  end as account_kind,
  coalesce(a.on_budget, true) as on_budget,
  a.type as account_type,
  coalesce(a.closed, false) as closed,
  a.balance * 0.001 as balance,
  a.cleared_balance * 0.001 as cleared_balance,
  a.uncleared_balance * 0.001 as uncleared_balance,
  a.last_reconciled_at,
  a.note
from "ynab"."accounts" as a
join "budget"."budgets" as b on b.budget_id = a.budget_id
where a.deleted is not true and a._sdc_deleted_at is null;
comment on view "budget"."accounts" is 'Accounts with their balances, closed ones too. One row for each account.';
comment on column "budget"."accounts"."budget_id" is 'Budget''s id';
comment on column "budget"."accounts"."budget_name" is 'Budget''s name';
comment on column "budget"."accounts"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."accounts"."account_id" is 'Account''s id';
comment on column "budget"."accounts"."account_name" is 'Account''s name';
comment on column "budget"."accounts"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."accounts"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."accounts"."account_type" is 'Type as YNAB has it, such as `creditCard`';
comment on column "budget"."accounts"."closed" is 'Whether the account is closed';
comment on column "budget"."accounts"."balance" is 'Cleared and uncleared balance together';
comment on column "budget"."accounts"."cleared_balance" is 'Sum of what is cleared or reconciled';
comment on column "budget"."accounts"."uncleared_balance" is 'Sum of what is uncleared';
comment on column "budget"."accounts"."last_reconciled_at" is 'When the account was last reconciled, in UTC; null if never';
comment on column "budget"."accounts"."note" is 'Note of the account';

create or replace view "budget"."categories" as
-- Deleted ones, too: transactions may still be in them.
select
  b.budget_id,
  b.budget_name,
  c.id as category_id,
  c.name as category_name,
  g.id as category_group_id,
  g.name as category_group_name,
  case
    -- The group keeps its English name in every language, and so do the categories in it.
    when (c.internal or g.internal or g.name = 'Internal Master Category') and c.name = 'Uncategorized'
      then 'uncategorized'
    when (c.internal or g.internal or g.name = 'Internal Master Category')
      and c.name ~ '^(Inflow: |Immediate Income|Deferred Income|To be Budgeted)'
      then 'inflow'
    when g.name = 'Credit Card Payments' then 'credit card payment'
    else 'spending'
  end as category_kind,
  coalesce(c.hidden, false) or coalesce(g.hidden, false) as is_hidden,
  not (c.deleted is not true and c._sdc_deleted_at is null) as is_deleted
from "ynab"."categories" as c
join "budget"."budgets" as b on b.budget_id = c.budget_id
left join "ynab"."category_groups" as g
  on g.id = c.category_group_id and g.budget_id = c.budget_id;
comment on view "budget"."categories" is 'Categories with their groups, deleted ones too, because transactions may still be in them. One row for each category.';
comment on column "budget"."categories"."budget_id" is 'Budget''s id';
comment on column "budget"."categories"."budget_name" is 'Budget''s name';
comment on column "budget"."categories"."category_id" is 'Category''s id';
comment on column "budget"."categories"."category_name" is 'Category''s name';
comment on column "budget"."categories"."category_group_id" is 'Id of the category''s group';
comment on column "budget"."categories"."category_group_name" is 'Name of the category''s group';
comment on column "budget"."categories"."category_kind" is '`spending`, `credit card payment`, `inflow` (Inflow: Ready to Assign) or `uncategorized`';
comment on column "budget"."categories"."is_hidden" is 'Whether the category or its group is hidden';
comment on column "budget"."categories"."is_deleted" is 'Whether the category is deleted';

create or replace view "budget"."months" as
select
  b.budget_id,
  b.budget_name,
  b.currency,
  m.month::date as month,
  m.to_be_budgeted * 0.001 as ready_to_assign,
  m.age_of_money::integer as age_of_money,
  m.income * 0.001 as income,
  m.budgeted * 0.001 as assigned,
  m.activity * 0.001 as activity,
  m.note
from "ynab"."months" as m
join "budget"."budgets" as b on b.budget_id = m.budget_id
where m.deleted is not true and m._sdc_deleted_at is null;
comment on view "budget"."months" is 'YNAB''s figures for each month of the budget. One row for each month.';
comment on column "budget"."months"."budget_id" is 'Budget''s id';
comment on column "budget"."months"."budget_name" is 'Budget''s name';
comment on column "budget"."months"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."months"."month" is 'First day of the month';
comment on column "budget"."months"."ready_to_assign" is 'Ready to Assign at the end of the month';
comment on column "budget"."months"."age_of_money" is 'Days between getting money and spending it; null if YNAB does not say';
comment on column "budget"."months"."income" is 'What went into Ready to Assign';
comment on column "budget"."months"."assigned" is 'Assigned to categories';
comment on column "budget"."months"."activity" is 'Spent (negative) and refunded';
comment on column "budget"."months"."note" is 'Note of the month';

create or replace view "budget"."sync_state" as
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
  from "ynab"."syncs" as s
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
join "budget"."budgets" as b on b.budget_id = s.budget_id;
comment on view "budget"."sync_state" is 'When each stream of each budget was last synced. One row for each stream and budget.';
comment on column "budget"."sync_state"."budget_id" is 'Budget''s id';
comment on column "budget"."sync_state"."budget_name" is 'Budget''s name';
comment on column "budget"."sync_state"."stream" is 'Stream, which is also the table in the schema of the tap';
comment on column "budget"."sync_state"."last_run_at" is 'End of the last run that had the stream, in UTC';
comment on column "budget"."sync_state"."last_status" is '`succeeded`, `failed` or `incomplete`: that of the budget in that run';
comment on column "budget"."sync_state"."last_error" is 'What went wrong in that run; null if nothing did';
comment on column "budget"."sync_state"."last_success_at" is 'End of the last run that succeeded for the budget and had the stream, in UTC; null if none did';
comment on column "budget"."sync_state"."hours_since_success" is 'Hours from then until now, with one decimal';
comment on column "budget"."sync_state"."last_rows" is 'Rows that the last run read';
comment on column "budget"."sync_state"."total_rows" is 'Rows that all runs have read';
comment on column "budget"."sync_state"."server_knowledge" is 'YNAB''s counter up to which the stream was read; null for streams without one';

create or replace view "budget"."net_worth" as
with ends as materialized (
  select budget_id, as_of from "budget"."budgets"
),

changes as (
  select t.budget_id, t.account_id, t.date::date as date, sum(t.amount) as amount
  from "ynab"."transactions" as t
  where t.deleted is not true and t._sdc_deleted_at is null
  group by t.budget_id, t.account_id, t.date::date
),

-- Balances with the days on which they hold, rather than a join of days and changes: fast whatever
-- PostgreSQL knows of the tables, which is nothing right after a first load.
balances as (
  select
    c.budget_id,
    c.account_id,
    c.date as first_day,
    coalesce(lead(c.date) over each_account - 1, ends.as_of) as last_day,
    ends.as_of,
    sum(c.amount) over each_account as balance
  from changes as c
  join ends on ends.budget_id = c.budget_id
  window each_account as (partition by c.budget_id, c.account_id order by c.date)
)

select
  a.budget_id,
  a.budget_name,
  a.currency,
  day.date::date as date,
  date_trunc('month', day.date)::date as month,
  day.date = n.as_of or extract(day from day.date + interval '1 day') = 1 as is_month_end,
  a.account_id,
  a.account_name,
  a.account_kind,
  a.on_budget,
  n.balance * 0.001 as balance,
  greatest(n.balance, 0) * 0.001 as assets,
  greatest(-n.balance, 0) * 0.001 as debts
from balances as n
join "budget"."accounts" as a on a.budget_id = n.budget_id and a.account_id = n.account_id
cross join lateral generate_series(
  n.first_day::timestamp, n.last_day::timestamp, interval '1 day'
) as day (date);
comment on view "budget"."net_worth" is 'Balance of each account at the end of each day, from its first transaction until `budgets.as_of`. For a figure for each month, choose `is_month_end`. One row for each day and account.';
comment on column "budget"."net_worth"."budget_id" is 'Budget''s id';
comment on column "budget"."net_worth"."budget_name" is 'Budget''s name';
comment on column "budget"."net_worth"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."net_worth"."date" is 'Day';
comment on column "budget"."net_worth"."month" is 'First day of the month';
comment on column "budget"."net_worth"."is_month_end" is 'Whether it is the last day of a month, or the last day there is';
comment on column "budget"."net_worth"."account_id" is 'Account''s id';
comment on column "budget"."net_worth"."account_name" is 'Account''s name';
comment on column "budget"."net_worth"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."net_worth"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."net_worth"."balance" is 'Balance at the end of the day; the sum over accounts is the net worth';
comment on column "budget"."net_worth"."assets" is 'The balance if it is above zero, else 0';
comment on column "budget"."net_worth"."debts" is 'What is owed: the balance without its sign if it is below zero, else 0';

create or replace view "budget"."entries" as
with entries as (
  select
    t.budget_id,
    coalesce(parts.part ->> 'id', t.id) as entry_id,
    t.id as transaction_id,
    parts.part is not null as is_part,
    t.date::date as date,
    t.account_id,
    coalesce(parts.part ->> 'payee_id', t.payee_id) as payee_id,
    -- The category of a split as a whole, "Split", is in no list: a part does not inherit it.
    case
      when parts.part is null then t.category_id
      when parts.part ->> 'transfer_account_id' is null
        then coalesce(parts.part ->> 'category_id', t.category_id)
      else parts.part ->> 'category_id'
    end as category_id,
    coalesce((parts.part ->> 'amount')::bigint, t.amount) as amount,
    coalesce(parts.part ->> 'memo', t.memo) as memo,
    t.cleared,
    t.approved,
    t.flag_color,
    t.flag_name,
    case when parts.part is null then t.transfer_account_id
      else parts.part ->> 'transfer_account_id' end as transfer_account_id,
    case when parts.part is null then t.transfer_transaction_id
      else parts.part ->> 'transfer_transaction_id' end as transfer_entry_id
  from "ynab"."transactions" as t
  left join lateral jsonb_array_elements(
    case when jsonb_typeof(t.subtransactions) = 'array' then t.subtransactions end
  ) as parts (part) on parts.part ->> 'deleted' is distinct from 'true'
  where t.deleted is not true and t._sdc_deleted_at is null
)

select
  b.budget_id,
  b.budget_name,
  b.currency,
  e.entry_id,
  e.transaction_id,
  e.is_part,
  e.date,
  date_trunc('month', e.date)::date as month,
  e.account_id,
  a.name as account_name,
  case
    when a.type in ('creditCard', 'lineOfCredit') then 'credit'
    when a.type in ('mortgage', 'autoLoan', 'studentLoan', 'personalLoan', 'medicalDebt',
      'otherDebt', 'otherLiability') then 'loan'
    when a.type in ('checking', 'savings', 'cash', 'payPal', 'merchantAccount') then 'cash'
    when a.on_budget then 'cash'
    else 'asset'
  end as account_kind,
  coalesce(a.on_budget, true) as on_budget,
  e.payee_id,
  coalesce(p.name, '(no payee)') as payee_name,
  c.category_id,
  coalesce(c.category_name, case when kinds.kind = 'spending' then 'Uncategorized' end)
    as category_name,
  c.category_group_id,
  c.category_group_name,
  kinds.kind,
  e.amount * 0.001 as amount,
  e.memo,
  e.cleared,
  e.approved,
  nullif(e.flag_color, '') as flag_color,
  e.flag_name,
  e.transfer_account_id,
  other.name as transfer_account_name,
  e.transfer_entry_id
from entries as e
join "budget"."budgets" as b on b.budget_id = e.budget_id
left join "ynab"."accounts" as a
  on a.id = e.account_id and a.budget_id = e.budget_id
left join "ynab"."accounts" as other
  on other.id = e.transfer_account_id and other.budget_id = e.budget_id
left join "ynab"."payees" as p on p.id = e.payee_id and p.budget_id = e.budget_id
left join "budget"."categories" as c
  on c.category_id = e.category_id and c.budget_id = e.budget_id
cross join lateral (
  select case
    -- Between two accounts on budget, or out of a tracking account. If the other account is
    -- unknown, the category tells: YNAB has one exactly if money left or entered the budget.
    when e.transfer_account_id is not null
      and (not a.on_budget or coalesce(other.on_budget, c.category_id is null))
      then 'transfer'
    when not a.on_budget then 'tracking'
    when c.category_kind = 'inflow' then 'income'
    else 'spending'
  end as kind
) as kinds;
comment on view "budget"."entries" is 'Every transaction once; of a split its parts, not the whole. The sum of an account''s entries is its balance. One row for each transaction, or part of a split.';
comment on column "budget"."entries"."budget_id" is 'Budget''s id';
comment on column "budget"."entries"."budget_name" is 'Budget''s name';
comment on column "budget"."entries"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."entries"."entry_id" is 'Id of the transaction, or of the part';
comment on column "budget"."entries"."transaction_id" is 'Id of the transaction';
comment on column "budget"."entries"."is_part" is 'Whether the entry is part of a split';
comment on column "budget"."entries"."date" is 'Date of the transaction';
comment on column "budget"."entries"."month" is 'First day of the month';
comment on column "budget"."entries"."account_id" is 'Account''s id';
comment on column "budget"."entries"."account_name" is 'Account''s name';
comment on column "budget"."entries"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."entries"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."entries"."payee_id" is 'Payee''s id; null if there is none';
comment on column "budget"."entries"."payee_name" is 'Payee''s name; `(no payee)` if there is none';
comment on column "budget"."entries"."category_id" is 'Category''s id; null if there is none';
comment on column "budget"."entries"."category_name" is 'Category''s name; `Uncategorized` if spending has none; null for a transfer or in a tracking account without one';
comment on column "budget"."entries"."category_group_id" is 'Id of the category''s group; null if there is none';
comment on column "budget"."entries"."category_group_name" is 'Name of the category''s group; null if there is none';
comment on column "budget"."entries"."kind" is '`income` (to Ready to Assign), `spending` (all else on budget; a refund is negative spending), `transfer` (between accounts, without leaving or entering the budget), `tracking` (in an account off budget)';
comment on column "budget"."entries"."amount" is 'Negative if money left the account';
comment on column "budget"."entries"."memo" is 'Memo of the part, else of the transaction';
comment on column "budget"."entries"."cleared" is '`cleared`, `uncleared` or `reconciled`';
comment on column "budget"."entries"."approved" is 'Whether the transaction is approved';
comment on column "budget"."entries"."flag_color" is 'Color of the flag; null if there is none';
comment on column "budget"."entries"."flag_name" is 'Name of the flag';
comment on column "budget"."entries"."transfer_account_id" is 'Account on the other side, if the entry is a side of a transfer';
comment on column "budget"."entries"."transfer_account_name" is 'Name of that account';
comment on column "budget"."entries"."transfer_entry_id" is 'Id of the entry on the other side, as YNAB has it';

create or replace view "budget"."money_moves" as
select
  b.budget_id,
  b.budget_name,
  b.currency,
  m.id as money_movement_id,
  m.month::date as month,
  m.moved_at,
  m.from_category_id,
  case when m.from_category_id is null then 'Ready to Assign' else source.category_name end
    as from_category_name,
  m.to_category_id,
  case when m.to_category_id is null then 'Ready to Assign' else target.category_name end
    as to_category_name,
  m.amount * 0.001 as amount,
  coalesce(m.note, g.note) as note
from "ynab"."money_movements" as m
join "budget"."budgets" as b on b.budget_id = m.budget_id
left join "ynab"."money_movement_groups" as g
  on g.id = m.money_movement_group_id and g.budget_id = m.budget_id
left join "budget"."categories" as source
  on source.category_id = m.from_category_id and source.budget_id = m.budget_id
left join "budget"."categories" as target
  on target.category_id = m.to_category_id and target.budget_id = m.budget_id
where m.deleted is not true and m._sdc_deleted_at is null;
comment on view "budget"."money_moves" is 'Movements of money between categories, as far as YNAB keeps them. One row for each movement of money.';
comment on column "budget"."money_moves"."budget_id" is 'Budget''s id';
comment on column "budget"."money_moves"."budget_name" is 'Budget''s name';
comment on column "budget"."money_moves"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."money_moves"."money_movement_id" is 'Id of the movement';
comment on column "budget"."money_moves"."month" is 'First day of the month';
comment on column "budget"."money_moves"."moved_at" is 'When it was made, in UTC';
comment on column "budget"."money_moves"."from_category_id" is 'Category that gave; null for Ready to Assign';
comment on column "budget"."money_moves"."from_category_name" is 'Its name, or `Ready to Assign`';
comment on column "budget"."money_moves"."to_category_id" is 'Category that got; null for Ready to Assign';
comment on column "budget"."money_moves"."to_category_name" is 'Its name, or `Ready to Assign`';
comment on column "budget"."money_moves"."amount" is 'What was moved';
comment on column "budget"."money_moves"."note" is 'Note of the movement, else of the group of movements it belongs to';

create or replace view "budget"."upcoming" as
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
  select budget_id, budget_name, currency, as_of from "budget"."budgets"
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
        select case when pair.fits then pair.days else case when next_number <= 15 then array[next_number, next_number + 15]
    else array[next_number - 15, next_number] end end
        from (
          select
            case when first_number <= 15 then array[first_number, first_number + 15]
    else array[first_number - 15, first_number] end as days,
            next_number in (
              least((case when first_number <= 15 then array[first_number, first_number + 15]
    else array[first_number - 15, first_number] end)[1], length_of_month),
              least((case when first_number <= 15 then array[first_number, first_number + 15]
    else array[first_number - 15, first_number] end)[2], length_of_month)
            ) as fits
        ) as pair
      )
      when next_number = least(first_number, length_of_month) then array[first_number]
      else array[next_number]
    end as month_days
  from "ynab"."scheduled_transactions" as s
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
  where s.deleted is not true and s._sdc_deleted_at is null and s.date_next is not null
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
  case
    when a.type in ('creditCard', 'lineOfCredit') then 'credit'
    when a.type in ('mortgage', 'autoLoan', 'studentLoan', 'personalLoan', 'medicalDebt',
      'otherDebt', 'otherLiability') then 'loan'
    when a.type in ('checking', 'savings', 'cash', 'payPal', 'merchantAccount') then 'cash'
    when a.on_budget then 'cash'
    else 'asset'
  end as account_kind,
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
  s.amount * 0.001 as amount,
  s.memo,
  nullif(s.flag_color, '') as flag_color,
  s.transfer_account_id,
  other.name as transfer_account_name
from due
join scheduled as s on s.budget_id = due.budget_id and s.id = due.id
cross join lateral (
  select coalesce(bool_or(parts.part is not null), false) as is_split
  from (values (1)) as one
  left join lateral jsonb_array_elements(
    case when jsonb_typeof(s.subtransactions) = 'array' then s.subtransactions end
  ) as parts (part) on parts.part ->> 'deleted' is distinct from 'true'
) as split
left join "ynab"."accounts" as a
  on a.id = s.account_id and a.budget_id = s.budget_id
left join "ynab"."accounts" as other
  on other.id = s.transfer_account_id and other.budget_id = s.budget_id
left join "ynab"."payees" as p on p.id = s.payee_id and p.budget_id = s.budget_id
left join "budget"."categories" as c
  on c.category_id = s.category_id and c.budget_id = s.budget_id;
comment on view "budget"."upcoming" is 'Due dates of scheduled transactions, from the next one until a year after `budgets.as_of`. One row for each scheduled transaction and due date.';
comment on column "budget"."upcoming"."budget_id" is 'Budget''s id';
comment on column "budget"."upcoming"."budget_name" is 'Budget''s name';
comment on column "budget"."upcoming"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."upcoming"."scheduled_transaction_id" is 'Id of the scheduled transaction';
comment on column "budget"."upcoming"."date" is 'Day on which it is due';
comment on column "budget"."upcoming"."occurrence" is '1 for the next date, 2 for the one after';
comment on column "budget"."upcoming"."frequency" is 'How often it is due, as YNAB has it, such as `everyOtherWeek`';
comment on column "budget"."upcoming"."account_id" is 'Account''s id';
comment on column "budget"."upcoming"."account_name" is 'Account''s name';
comment on column "budget"."upcoming"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."upcoming"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."upcoming"."payee_id" is 'Payee''s id; null if there is none';
comment on column "budget"."upcoming"."payee_name" is 'Payee''s name; `(no payee)` if there is none';
comment on column "budget"."upcoming"."category_id" is 'Category''s id; null if there is none';
comment on column "budget"."upcoming"."category_name" is 'Category''s name; `Uncategorized` if spending has none; null for a transfer or in a tracking account without one';
comment on column "budget"."upcoming"."category_group_id" is 'Id of the category''s group; null if there is none';
comment on column "budget"."upcoming"."category_group_name" is 'Name of the category''s group; null if there is none';
comment on column "budget"."upcoming"."is_split" is 'Whether it has parts, each with its category';
comment on column "budget"."upcoming"."amount" is 'Negative if money will leave the account';
comment on column "budget"."upcoming"."memo" is 'Memo';
comment on column "budget"."upcoming"."flag_color" is 'Color of the flag; null if there is none';
comment on column "budget"."upcoming"."transfer_account_id" is 'Account on the other side, if it is a transfer';
comment on column "budget"."upcoming"."transfer_account_name" is 'Name of that account';

create or replace view "budget"."budget_vs_actual" as
with credit as materialized (
  select budget_id, month, category_id, greatest(-sum(amount), 0) as spent
  from "budget"."entries"
  where kind = 'spending' and account_kind = 'credit'
  group by budget_id, month, category_id
),

months as (
  select
    m.*,
    greatest(-m.balance * 0.001, 0.000) as overspent
  from "ynab"."month_categories" as m
  where m.deleted is not true and m._sdc_deleted_at is null
)

select
  c.budget_id,
  c.budget_name,
  b.currency,
  m.month::date as month,
  c.category_id,
  c.category_name,
  c.category_group_id,
  c.category_group_name,
  c.category_kind,
  c.is_hidden,
  m.budgeted * 0.001 as assigned,
  m.activity * 0.001 as activity,
  m.balance * 0.001 as available,
  m.overspent,
  m.overspent - least(m.overspent, coalesce(credit.spent, 0.000)) as overspent_cash,
  least(m.overspent, coalesce(credit.spent, 0.000)) as overspent_credit,
  m.goal_type,
  m.goal_target * 0.001 as goal_target,
  coalesce(m.goal_target_date, m.goal_target_month)::date as goal_target_date,
  m.goal_percentage_complete::integer as goal_percentage_complete,
  m.goal_under_funded * 0.001 as goal_under_funded,
  m.goal_overall_funded * 0.001 as goal_overall_funded,
  m.goal_overall_left * 0.001 as goal_overall_left
from months as m
join "budget"."categories" as c
  on c.category_id = m.category_id and c.budget_id = m.budget_id
join "budget"."budgets" as b on b.budget_id = m.budget_id
left join credit
  on credit.budget_id = m.budget_id and credit.month = m.month::date
  and credit.category_id = m.category_id
where c.category_kind <> 'inflow';
comment on view "budget"."budget_vs_actual" is 'What was assigned to each category, what was spent and what is available, with its goal. Without Inflow: Ready to Assign. One row for each month and category.';
comment on column "budget"."budget_vs_actual"."budget_id" is 'Budget''s id';
comment on column "budget"."budget_vs_actual"."budget_name" is 'Budget''s name';
comment on column "budget"."budget_vs_actual"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."budget_vs_actual"."month" is 'First day of the month';
comment on column "budget"."budget_vs_actual"."category_id" is 'Category''s id';
comment on column "budget"."budget_vs_actual"."category_name" is 'Category''s name';
comment on column "budget"."budget_vs_actual"."category_group_id" is 'Id of the category''s group; null if there is none';
comment on column "budget"."budget_vs_actual"."category_group_name" is 'Name of the category''s group; null if there is none';
comment on column "budget"."budget_vs_actual"."category_kind" is '`spending`, `credit card payment`, or `uncategorized`';
comment on column "budget"."budget_vs_actual"."is_hidden" is 'Whether the category or its group is hidden';
comment on column "budget"."budget_vs_actual"."assigned" is 'Assigned in the month';
comment on column "budget"."budget_vs_actual"."activity" is 'Spent (negative) and refunded in the month';
comment on column "budget"."budget_vs_actual"."available" is 'Available at the end of the month';
comment on column "budget"."budget_vs_actual"."overspent" is 'How far the category is below zero; 0 if it is not';
comment on column "budget"."budget_vs_actual"."overspent_cash" is 'Part of it that was spent as cash; it reduces Ready to Assign of the next month';
comment on column "budget"."budget_vs_actual"."overspent_credit" is 'Part of it that was spent by credit card in the month; it becomes debt';
comment on column "budget"."budget_vs_actual"."goal_type" is '`TB`, `TBD`, `MF`, `NEED`, `DEBT`, as YNAB has it; null without a goal';
comment on column "budget"."budget_vs_actual"."goal_target" is 'Amount of the goal';
comment on column "budget"."budget_vs_actual"."goal_target_date" is 'Day by which it should be reached';
comment on column "budget"."budget_vs_actual"."goal_percentage_complete" is 'Progress of the goal in percent, as YNAB has it';
comment on column "budget"."budget_vs_actual"."goal_under_funded" is 'What the month still needs';
comment on column "budget"."budget_vs_actual"."goal_overall_funded" is 'What was put aside for the goal';
comment on column "budget"."budget_vs_actual"."goal_overall_left" is 'What is still missing';

create or replace view "budget"."income_vs_expense" as
with own as (
  select
    budget_id,
    month,
    coalesce(sum(amount) filter (where kind = 'income'), 0.000) as income,
    coalesce(-sum(amount) filter (where kind = 'spending'), 0.000) as expense
  from "budget"."entries"
  where kind in ('income', 'spending')
  group by budget_id, month
),

both_totals as (
  select
    coalesce(o.budget_id, m.budget_id) as budget_id,
    coalesce(o.month, m.month) as month,
    coalesce(o.income, 0.000) as income,
    coalesce(o.expense, 0.000) as expense,
    m.income as ynab_income,
    -m.activity as ynab_expense
  from own as o
  full join "budget"."months" as m on m.budget_id = o.budget_id and m.month = o.month
)

select
  b.budget_id,
  b.budget_name,
  b.currency,
  t.month,
  t.income,
  t.expense,
  t.income - t.expense as net,
  case when t.income > 0 then round((t.income - t.expense) / t.income, 4) end as savings_rate,
  t.ynab_income,
  t.ynab_expense,
  t.income - t.ynab_income as income_difference,
  t.expense - t.ynab_expense as expense_difference
from both_totals as t
join "budget"."budgets" as b on b.budget_id = t.budget_id;
comment on view "budget"."income_vs_expense" is 'Income, expense and what was saved, from entries, beside YNAB''s own totals. One row for each month.';
comment on column "budget"."income_vs_expense"."budget_id" is 'Budget''s id';
comment on column "budget"."income_vs_expense"."budget_name" is 'Budget''s name';
comment on column "budget"."income_vs_expense"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."income_vs_expense"."month" is 'First day of the month';
comment on column "budget"."income_vs_expense"."income" is 'What went into Ready to Assign';
comment on column "budget"."income_vs_expense"."expense" is 'What was spent, less refunds';
comment on column "budget"."income_vs_expense"."net" is 'Income less expense';
comment on column "budget"."income_vs_expense"."savings_rate" is 'Net as a share of income, 0.25 for a quarter; null if there was no income';
comment on column "budget"."income_vs_expense"."ynab_income" is 'Income of the month as YNAB has it; null if YNAB does not have the month';
comment on column "budget"."income_vs_expense"."ynab_expense" is 'Activity of the month as YNAB has it, with the opposite sign';
comment on column "budget"."income_vs_expense"."income_difference" is 'Income less YNAB''s; 0 if they agree';
comment on column "budget"."income_vs_expense"."expense_difference" is 'Expense less YNAB''s; 0 if they agree';

create or replace view "budget"."payee_trends" as
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
  from "budget"."entries"
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
from likely;
comment on view "budget"."payee_trends" is 'What went to and came from each payee in each month; without transfers and tracking accounts. One row for each payee and month.';
comment on column "budget"."payee_trends"."budget_id" is 'Budget''s id';
comment on column "budget"."payee_trends"."budget_name" is 'Budget''s name';
comment on column "budget"."payee_trends"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."payee_trends"."payee_id" is 'Payee''s id';
comment on column "budget"."payee_trends"."payee_name" is 'Payee''s name';
comment on column "budget"."payee_trends"."month" is 'First day of the month';
comment on column "budget"."payee_trends"."spent" is 'What was spent, less refunds';
comment on column "budget"."payee_trends"."income" is 'What came into Ready to Assign';
comment on column "budget"."payee_trends"."entries" is 'Number of entries';
comment on column "budget"."payee_trends"."likely_duplicate_of_id" is 'Payee whose name differs in case, digits, spaces and punctuation only, and which has more entries; null if there is none';
comment on column "budget"."payee_trends"."likely_duplicate_of_name" is 'Name of that payee';

create or replace view "budget"."reconciliation" as
with ends as materialized (
  select budget_id, as_of from "budget"."budgets"
),

sums as (
  select
    budget_id,
    account_id,
    sum(amount) as balance,
    coalesce(sum(amount) filter (where cleared <> 'uncleared'), 0.000) as cleared_balance,
    count(*) filter (where cleared = 'uncleared') as uncleared_entries
  from "budget"."entries"
  group by budget_id, account_id
),

compared as (
  select
    a.*,
    b.as_of,
    coalesce(s.balance, 0.000) as entries_balance,
    coalesce(s.cleared_balance, 0.000) as entries_cleared_balance,
    coalesce(s.uncleared_entries, 0) as uncleared_entries
  from "budget"."accounts" as a
  join ends as b on b.budget_id = a.budget_id
  left join sums as s on s.budget_id = a.budget_id and s.account_id = a.account_id
)

select
  budget_id,
  budget_name,
  currency,
  account_id,
  account_name,
  account_kind,
  on_budget,
  closed,
  balance,
  entries_balance,
  balance - entries_balance as balance_difference,
  cleared_balance,
  entries_cleared_balance,
  cleared_balance - entries_cleared_balance as cleared_difference,
  uncleared_entries,
  last_reconciled_at,
  as_of - last_reconciled_at::date as days_since_reconciled,
  balance = entries_balance and cleared_balance = entries_cleared_balance as agrees
from compared;
comment on view "budget"."reconciliation" is 'Balances of accounts against the sums of their entries. A difference is shown here and corrected nowhere. One row for each account.';
comment on column "budget"."reconciliation"."budget_id" is 'Budget''s id';
comment on column "budget"."reconciliation"."budget_name" is 'Budget''s name';
comment on column "budget"."reconciliation"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."reconciliation"."account_id" is 'Account''s id';
comment on column "budget"."reconciliation"."account_name" is 'Account''s name';
comment on column "budget"."reconciliation"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."reconciliation"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."reconciliation"."closed" is 'Whether the account is closed';
comment on column "budget"."reconciliation"."balance" is 'Balance as YNAB has it';
comment on column "budget"."reconciliation"."entries_balance" is 'Sum of the entries';
comment on column "budget"."reconciliation"."balance_difference" is 'Balance less that sum; 0 if they agree';
comment on column "budget"."reconciliation"."cleared_balance" is 'Cleared balance as YNAB has it';
comment on column "budget"."reconciliation"."entries_cleared_balance" is 'Sum of the entries that are cleared or reconciled';
comment on column "budget"."reconciliation"."cleared_difference" is 'Cleared balance less that sum; 0 if they agree';
comment on column "budget"."reconciliation"."uncleared_entries" is 'Number of entries that are uncleared';
comment on column "budget"."reconciliation"."last_reconciled_at" is 'When the account was last reconciled, in UTC; null if never';
comment on column "budget"."reconciliation"."days_since_reconciled" is 'Days from then until `budgets.as_of`; null if never';
comment on column "budget"."reconciliation"."agrees" is 'Whether both differences are 0';

create or replace view "budget"."spending" as
select
  budget_id,
  budget_name,
  currency,
  month,
  category_id,
  category_name,
  category_group_id,
  category_group_name,
  payee_id,
  payee_name,
  -sum(amount) as spent,
  count(*) as entries
from "budget"."entries"
where kind = 'spending'
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
comment on view "budget"."spending" is 'What was spent. Refunds are subtracted; transfers, income and tracking accounts are left out. One row for each month, category and payee.';
comment on column "budget"."spending"."budget_id" is 'Budget''s id';
comment on column "budget"."spending"."budget_name" is 'Budget''s name';
comment on column "budget"."spending"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."spending"."month" is 'First day of the month';
comment on column "budget"."spending"."category_id" is 'Category''s id; null if there is none';
comment on column "budget"."spending"."category_name" is 'Category''s name; `Uncategorized` if spending has none; null for a transfer or in a tracking account without one';
comment on column "budget"."spending"."category_group_id" is 'Id of the category''s group; null if there is none';
comment on column "budget"."spending"."category_group_name" is 'Name of the category''s group; null if there is none';
comment on column "budget"."spending"."payee_id" is 'Payee''s id; null if there is none';
comment on column "budget"."spending"."payee_name" is 'Payee''s name; `(no payee)` if there is none';
comment on column "budget"."spending"."spent" is 'What was spent, less refunds; negative if more came back';
comment on column "budget"."spending"."entries" is 'Number of entries';

create or replace view "budget"."transfers" as
with sides as (
  select * from "budget"."entries" where transfer_account_id is not null
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
left join "budget"."accounts" as a
  on a.budget_id = t.budget_id and a.account_id = t.from_account_id
left join "budget"."accounts" as o
  on o.budget_id = t.budget_id and o.account_id = t.to_account_id;
comment on view "budget"."transfers" is 'Transfers between accounts, each once with both sides, credit card payments and payments of loans among them. One row for each pair of sides.';
comment on column "budget"."transfers"."budget_id" is 'Budget''s id';
comment on column "budget"."transfers"."budget_name" is 'Budget''s name';
comment on column "budget"."transfers"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."transfers"."transfer_id" is 'Entry on the side that money left, else the one that is there';
comment on column "budget"."transfers"."date" is 'Date of the transfer';
comment on column "budget"."transfers"."month" is 'First day of the month';
comment on column "budget"."transfers"."from_account_id" is 'Account that money left';
comment on column "budget"."transfers"."from_account_name" is 'Name of that account';
comment on column "budget"."transfers"."to_account_id" is 'Account that money went to';
comment on column "budget"."transfers"."to_account_name" is 'Name of that account';
comment on column "budget"."transfers"."amount" is 'What was moved; never negative';
comment on column "budget"."transfers"."from_entry_id" is 'Entry in the account that money left; null if it is missing';
comment on column "budget"."transfers"."to_entry_id" is 'Entry in the account that money went to; null if it is missing';
comment on column "budget"."transfers"."is_credit_card_payment" is 'Whether money went from an account of cash to a credit card or line of credit';
comment on column "budget"."transfers"."category_id" is 'Category, if the transfer left or entered the budget; it is spending or income then';
comment on column "budget"."transfers"."category_name" is 'Name of that category';

create or replace view "budget"."cash_flow_forecast" as
with ends as materialized (
  select budget_id, as_of from "budget"."budgets"
),

scheduled as materialized (
  select * from "budget"."upcoming"
),

sides as (
  select budget_id, date, account_id, amount from scheduled
  union all
  select budget_id, date, transfer_account_id, -amount
  from scheduled
  where transfer_account_id is not null and not is_split
  union all
  -- Parts of a split that are transfers
  select
    u.budget_id,
    u.date,
    parts.part ->> 'transfer_account_id',
    -(parts.part ->> 'amount')::bigint * 0.001
  from scheduled as u
  join "ynab"."scheduled_transactions" as s
    on s.id = u.scheduled_transaction_id and s.budget_id = u.budget_id
  left join lateral jsonb_array_elements(
    case when jsonb_typeof(s.subtransactions) = 'array' then s.subtransactions end
  ) as parts (part) on parts.part ->> 'deleted' is distinct from 'true'
  where parts.part ->> 'transfer_account_id' is not null
),

changes as (
  select s.budget_id, s.account_id, greatest(s.date, b.as_of) as date, sum(s.amount) as change
  from sides as s
  join ends as b on b.budget_id = s.budget_id
  group by 1, 2, 3
),

days as (
  select
    a.*,
    day.date::date as date,
    coalesce(c.change, 0.000) as change,
    a.balance + sum(coalesce(c.change, 0.000)) over (
      partition by a.budget_id, a.account_id order by day.date
    ) as projected
  from "budget"."accounts" as a
  join ends as b on b.budget_id = a.budget_id
  cross join lateral generate_series(
    b.as_of::timestamp, b.as_of + interval '1 year', interval '1 day'
  ) as day (date)
  left join changes as c
    on c.budget_id = a.budget_id and c.account_id = a.account_id and c.date = day.date::date
  where not a.closed
),

marked as (
  select
    d.*,
    min(d.date) filter (where d.projected < 0 and d.account_kind in ('cash', 'asset')) over (
      partition by d.budget_id, d.account_id
    ) as first_below_zero
  from days as d
)

select
  budget_id,
  budget_name,
  currency,
  date,
  account_id,
  account_name,
  account_kind,
  on_budget,
  change,
  projected as balance,
  first_below_zero,
  coalesce(date = first_below_zero, false) as is_first_below_zero
from marked;
comment on view "budget"."cash_flow_forecast" is 'Balance of each open account on each day of the year after `budgets.as_of`, if nothing happens but what is scheduled. One row for each day and account.';
comment on column "budget"."cash_flow_forecast"."budget_id" is 'Budget''s id';
comment on column "budget"."cash_flow_forecast"."budget_name" is 'Budget''s name';
comment on column "budget"."cash_flow_forecast"."currency" is 'Currency of all amounts in the row, as ISO code; null if YNAB has no format for the budget';
comment on column "budget"."cash_flow_forecast"."date" is 'Day; the first is `budgets.as_of`, and has what was due before';
comment on column "budget"."cash_flow_forecast"."account_id" is 'Account''s id';
comment on column "budget"."cash_flow_forecast"."account_name" is 'Account''s name';
comment on column "budget"."cash_flow_forecast"."account_kind" is '`cash`, `credit`, `loan` or `asset`';
comment on column "budget"."cash_flow_forecast"."on_budget" is 'Whether the account is on budget; if not, it is a tracking account';
comment on column "budget"."cash_flow_forecast"."change" is 'What is due on the day';
comment on column "budget"."cash_flow_forecast"."balance" is 'Balance at the end of the day';
comment on column "budget"."cash_flow_forecast"."first_below_zero" is 'First day on which the account is below zero, the same in all rows of the account; null if there is none, and for credit and loans';
comment on column "budget"."cash_flow_forecast"."is_first_below_zero" is 'Whether it is that day';

commit;
