-- Three figures of each budget.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null ''
select budgets.name as budget, currency_iso_code as currency,
  to_char(sum(balance) / 1000.0, '999G999G990D00') as "net worth",
  (select age_of_money || ' days' from ynab.months
    where budget_id = budgets.id and age_of_money is not null and not deleted
    order by month desc limit 1) as "age of money"
from ynab.budgets join ynab.accounts on budget_id = budgets.id
where not accounts.deleted and accounts._sdc_deleted_at is null
group by budgets.id, budgets.name, currency_iso_code order by budget desc;

select budget, left(category, 30) as category,
  to_char(-activity / 1000.0, '99G999G990D00') as "spent this month",
  to_char(balance / 1000.0, '99G999G990D00') as available
from (
  select budgets.name as budget, categories.name as category, activity, balance,
    row_number() over (partition by budgets.id order by activity) as place
  from ynab.categories join ynab.budgets on budgets.id = budget_id
  where activity < 0 and not categories.deleted and categories._sdc_deleted_at is null
    and not internal
) as spent
where place <= 3 order by budget desc, activity;
