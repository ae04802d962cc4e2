#!/bin/sh
# Runs mosquitto on the files of 'kwartier broker config', and has it read the list of revoked
# certificates again when the server wrote a new one. usage: run.sh FOLDER [SECONDS]
set -u
folder=$1
every=${2:-10}

mosquitto -c "$folder/kwartier.conf" &
broker=$!
trap 'kill -TERM "$broker"' TERM INT

seen=$(cksum < "$folder/revoked.crl")
while kill -0 "$broker" 2> /dev/null; do
  sleep "$every" &
  wait $!
  now=$(cksum < "$folder/revoked.crl") || continue
  if [ "$now" != "$seen" ]; then
    seen=$now
    kill -HUP "$broker"
  fi
done
wait "$broker"
