#!/bin/sh
# Serves the folder LAKE_DIR (default /data) as S3, with the bucket LAKE_BUCKET in it.
# ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY are the keys, VGW_PORT the address.
set -eu

if [ -z "${ROOT_ACCESS_KEY_ID:-}" ] || [ -z "${ROOT_SECRET_ACCESS_KEY:-}" ]; then
  echo "set LAKE_ACCESS_KEY_ID and LAKE_SECRET_ACCESS_KEY in .env, see .env.example" >&2
  exit 1
fi

dir=${LAKE_DIR:-/data}
# A bucket is a folder.
mkdir -p "$dir/$LAKE_BUCKET"
exec versitygw posix "$dir"
