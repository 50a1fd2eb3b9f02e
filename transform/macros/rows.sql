{# Whether a row counts. Months that YNAB sent before 2019 have no flag: null is alive. #}
{% macro alive(alias) -%}
  {{ alias }}.deleted is not true and {{ alias }}._sdc_deleted_at is null
{%- endmacro %}

{# Milliunits in currency units, exactly. #}
{% macro units(milliunits) -%}
  {{ milliunits }} * 0.001
{%- endmacro %}

{# The living parts of a split in `part`: none for what is not split, whose `part` is null. #}
{% macro join_parts(alias) -%}
  left join lateral jsonb_array_elements(
    case when jsonb_typeof({{ alias }}.subtransactions) = 'array' then {{ alias }}.subtransactions end
  ) as parts (part) on parts.part ->> 'deleted' is distinct from 'true'
{%- endmacro %}

{# YNAB adds types now and then: a new one is an asset if off budget, else cash. #}
{% macro account_kind(alias) -%}
  case
    when {{ alias }}.type in ('creditCard', 'lineOfCredit') then 'credit'
    when {{ alias }}.type in ('mortgage', 'autoLoan', 'studentLoan', 'personalLoan', 'medicalDebt',
      'otherDebt', 'otherLiability') then 'loan'
    when {{ alias }}.type in ('checking', 'savings', 'cash', 'payPal', 'merchantAccount') then 'cash'
    when {{ alias }}.on_budget then 'cash'
    else 'asset'
  end
{%- endmacro %}

{# The two days of the month on which something is due twice a month: 15 days apart. #}
{% macro twice(number) -%}
  case when {{ number }} <= 15 then array[{{ number }}, {{ number }} + 15]
    else array[{{ number }} - 15, {{ number }}] end
{%- endmacro %}
