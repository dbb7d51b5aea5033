#!/bin/sh
# The foreign programs that the tests drive: installed where we may, named where we may not.
set -eu
has_postgres() {
  on_path=$(readlink -f "$(command -v postgres || echo /)")
  for bin in "${on_path%/*}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
    [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ] && [ -x "$bin/pg_basebackup" ] && [ -x "$bin/postgres" ] && return
  done
  return 1
}
missing=""
[ -x /usr/sbin/bearerbox ] || command -v bearerbox >/dev/null || missing="$missing kannel"
command -v curl >/dev/null || missing="$missing curl"
has_postgres || missing="$missing postgresql"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests:$missing" >&2
  made=""
  trap '[ -z "$made" ] || rm -f $made' EXIT
  # A policy that forbids it keeps the packages from starting as services of this machine.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then made=$policy; printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; fi
  # The tests make clusters of their own: PostgreSQL's package need not make one.
  case $missing in *postgresql*)
    clusters=/etc/postgresql-common/createcluster.d
    mkdir -p $clusters
    if [ ! -e $clusters/loa.conf ]; then
      made="$made $clusters/loa.conf"
      echo 'create_main_cluster = false' >$clusters/loa.conf
    fi ;;
  esac
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
else
  echo "The tests need:$missing. Install with: sudo apt-get install -y$missing" >&2
  exit 1
fi
