{% test of_the_same_budget(model, column_name, to, key) %}
select m.budget_id, m.{{ column_name }}
from {{ model }} as m
left join {{ to }} as t on t.budget_id = m.budget_id and t.{{ key }} = m.{{ column_name }}
where m.{{ column_name }} is not null and t.budget_id is null
{% endtest %}
