"""Print what was spent by year and group of categories, with DuckDB.

It reads the URL of the database from standard input; docs/bi.md shows how to call it.
"""

import sys

import duckdb

url = sys.stdin.readline().strip()
duck = duckdb.connect()  # or the name of a file, to keep a copy
duck.execute("install postgres; load postgres")
duck.execute(f"attach '{url}' as ynab (type postgres, schema 'budget', read_only)")
# DuckDB reads numeric as double: a cast makes sums exact.
spending = duck.execute("""
    select budget_name, currency, year(month) as year, category_group_name as category_group,
        sum(spent::decimal(18, 3)) as spent
    from ynab.spending
    group by budget_id, budget_name, currency, year, category_group
    order by budget_name, year, spent desc
""")
print(*(name for name, *_ in spending.description), sep="\t")
for row in spending.fetchall():
    print(*row, sep="\t")
