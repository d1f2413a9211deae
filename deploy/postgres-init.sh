#!/bin/sh
# Run once by the image of PostgreSQL, as its superuser, when the Compose file's database is created: the four roles, with the
# passwords of their files of secrets, and the empty database.
set -eu
for role in lux_owner lux lux_desk lux_privacy; do
    password=$(sed 's/.*password=\([^ ]*\).*/\1/' "/run/secrets/$role.url")
    echo "create role $role login password '$password';"
done | psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres
psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres \
    -c "create database lux owner lux_owner encoding 'UTF8' template template0"
