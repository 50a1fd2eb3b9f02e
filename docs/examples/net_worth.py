"""Print the net worth at the end of each month, with a column for each budget.

It reads the URL of the database from standard input; docs/bi.md shows how to call it.
"""

import sys

import pandas as pd
from sqlalchemy import create_engine

url = sys.stdin.readline().strip().replace("postgresql:", "postgresql+psycopg:", 1)
balances = pd.read_sql(
    """
    select budget_id, concat_ws(', ', budget_name, currency) as budget, month, balance
    from budget.net_worth
    where is_month_end
    """,
    create_engine(url),
    coerce_float=False,  # decimals, not floating-point numbers
)
net_worth = balances.pivot_table(
    values="balance", index="month", columns=["budget_id", "budget"], aggfunc="sum"
)
print(net_worth.droplevel("budget_id", axis="columns").to_string())
