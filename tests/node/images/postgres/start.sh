#!/bin/sh
# Makes a database in $PGDATA when there is none, and serves it to who knows the password of the
# user "actors", which is in the file that $PASSWORD_FILE names.
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb -U actors --pwfile="$PASSWORD_FILE" --auth=scram-sha-256 --encoding=UTF8 --no-locale
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c jit=off
