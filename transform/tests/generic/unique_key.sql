{% test unique_key(model, columns) %}
{# Null is a value here: two rows without a category are not the same, unless all else is equal. #}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
