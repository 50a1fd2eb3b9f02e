{{ config(severity='warn') }}
select * from {{ ref('transfers') }} where from_entry_id is null or to_entry_id is null
