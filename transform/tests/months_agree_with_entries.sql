{{ config(severity='warn') }}
select * from {{ ref('income_vs_expense') }} where income_difference <> 0 or expense_difference <> 0
