{{ config(severity='warn') }}
select * from {{ ref('reconciliation') }} where not agrees
