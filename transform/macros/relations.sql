{# Without the database's name: views.sql works in any database. #}
{% macro ref(model) %}
  {% do return(builtins.ref(model).include(database=false)) %}
{% endmacro %}

{% macro source(name, table) %}
  {% do return(builtins.source(name, table).include(database=false)) %}
{% endmacro %}
