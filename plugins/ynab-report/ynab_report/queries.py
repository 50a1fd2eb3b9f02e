"""Queries on the views, each for all budgets; `database` runs them.

Among the ten largest transactions of each month, in and out, are the ten largest of any period. No
order is by amount, for that would tell something in a redacted report.
"""

from __future__ import annotations

QUERIES = {
    "budgets": """
        select budget_id, budget_name, currency, currency_symbol, symbol_first, decimal_digits,
          decimal_separator, group_separator, as_of
        from budgets order by budget_name, budget_id
    """,
    "accounts": """
        select budget_id, account_id, account_name, account_kind, on_budget, closed, balance,
          balance_difference, cleared_difference, uncleared_entries, agrees,
          last_reconciled_at::date as reconciled
        from reconciliation order by account_name, account_id
    """,
    "days": """
        select budget_id, date, sum(assets) as assets, sum(debts) as debts
        from net_worth group by budget_id, date order by budget_id, date
    """,
    "month_ends": """
        select budget_id, account_id, date, balance
        from net_worth where is_month_end order by budget_id, account_id, date
    """,
    "flows": """
        select budget_id, month, income, expense from income_vs_expense order by budget_id, month
    """,
    "ages": """
        select budget_id, month, age_of_money from months
        where age_of_money is not null order by budget_id, month
    """,
    "spending": """
        select budget_id, month, category_id, category_name, category_group_id, category_group_name,
          payee_id, payee_name, spent
        from spending where spent <> 0
        order by budget_id, month, category_name, category_id, payee_name, payee_id
    """,
    "assigned": """
        select budget_id, month, category_id, category_name, category_group_id, category_group_name,
          category_kind, assigned, activity, available, overspent_credit
        from budget_vs_actual where assigned <> 0 or activity <> 0 or available <> 0
        order by budget_id, month, category_group_name, category_name, category_id
    """,
    "goals": """
        select v.budget_id, v.category_id, v.category_name, v.category_group_id,
          v.category_group_name, v.goal_type, v.goal_target, v.goal_target_date,
          v.goal_percentage_complete, v.goal_under_funded
        from budget_vs_actual as v
        join budgets as b on b.budget_id = v.budget_id and v.month = date_trunc('month', b.as_of)
        where v.goal_type is not null and not v.is_hidden
        order by v.budget_id, v.goal_percentage_complete, v.category_name, v.category_id
    """,
    "upcoming": """
        select budget_id, date, account_id, transfer_account_id, payee_id, payee_name, category_id,
          category_name, category_group_id, category_group_name, amount
        from upcoming order by budget_id, date, scheduled_transaction_id
    """,
    "forecast": """
        select budget_id, account_id, date, balance from cash_flow_forecast
        where account_kind = 'cash' and on_budget order by budget_id, account_id, date
    """,
    "largest": """
        select * from (
          select budget_id, month, date, account_id, payee_id, payee_name, category_id,
            category_name, category_group_id, category_group_name, amount, entry_id,
            row_number() over (
              partition by budget_id, month, amount > 0 order by abs(amount) desc, date, entry_id
            ) as place
          from entries where kind = 'spending' and amount <> 0 or kind = 'income' and amount > 0
        ) as placed where place <= 10 order by budget_id, date, entry_id
    """,
    "duplicates": """
        select budget_id, payee_id, payee_name, likely_duplicate_of_id, likely_duplicate_of_name,
          sum(entries)::bigint as entries
        from payee_trends where likely_duplicate_of_id is not null
        group by 1, 2, 3, 4, 5 order by budget_id, 6 desc, payee_name
    """,
    "streams": """
        select budget_id, stream, last_status, last_error,
          extract(epoch from last_run_at)::bigint as run_at,
          extract(epoch from last_success_at)::bigint as success_at
        from sync_state order by budget_id, stream
    """,
    "runs": """
        select status, errors, extract(epoch from started_at)::bigint as started_at
        from sync_runs order by started_at desc limit 1
    """,
}
