#!/bin/sh
# The foreign programs that the conformance tests drive: installed where we may, named where we may not.
set -eu
missing=""
[ -x /usr/sbin/bearerbox ] || command -v bearerbox >/dev/null || missing="$missing kannel"
command -v curl >/dev/null || missing="$missing curl"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests:$missing" >&2
  # A policy that forbids it keeps the package from starting as a service of this machine.
  policy=/usr/sbin/policy-rc.d
  made=""
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=$policy; fi
  trap '[ -z "$made" ] || rm -f "$made"' EXIT
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
else
  echo "The tests need:$missing. Install with: sudo apt-get install -y$missing" >&2
  exit 1
fi
