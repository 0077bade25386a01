#!/bin/sh
# The sidecar as one self-extracting file: this script, then two archives, the Deno runtime and the program.
# The first start unpacks them into a private cache (XDG_CACHE_HOME, else HOME/.cache, else TMPDIR); then every start
# replaces this shell by the runtime, so pid, signals, standard streams and exit code are the program's own.
# Needs sh, coreutils, gzip and tar. pack.ts fills in what stands between at signs.
set -eu

self=$0
uid=$(id -u)

# Exit codes follow sysexits: 65 this file is damaged, 73 cannot create, 77 permission.
fail() {
  printf 'sidecar: %s\n' "$2" >&2
  exit "$1"
}

# The directory is made where it is missing, for this user alone.
make_private() { [ -d "$1" ] || (umask 077 && mkdir -p "$1" 2>/dev/null); }

choose_cache() {
  case ${XDG_CACHE_HOME:-} in /*) cache=$XDG_CACHE_HOME/sidecar; return ;; esac
  case ${HOME:-} in /*) cache=$HOME/.cache/sidecar; if make_private "$cache"; then return; fi ;; esac
  cache=${TMPDIR:-/tmp}/sidecar-$uid
}

# Whoever can write here can run code as this user, so: a real directory, owned by this user, written by nobody else.
require_private() {
  case $(stat -c '%u %A' "$1" 2>/dev/null) in
    "$uid "d????-??-?*) ;;
    *) fail 77 "refusing the cache $1: it must be a directory that only user $uid owns and writes (XDG_CACHE_HOME chooses another)" ;;
  esac
}

# SIZE bytes of this file that begin FROM_END bytes before its end.
payload() { tail -c "$1" "$self" | head -c "$2"; }

# NAME FILE SHA256 FROM_END SIZE: the archive becomes $cache/NAME, whole or not at all, however many starts race.
# A directory that lost FILE (a cleaner of old temporary files) is replaced.
unpack() {
  umask 077
  new=$(mktemp -d "$cache/new.XXXXXX" 2>/dev/null) ||
    fail 73 "cannot write the cache $cache (XDG_CACHE_HOME chooses another)"
  trap 'rm -rf "$new"' EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  trap 'exit 129' HUP
  [ "$(payload "$4" "$5" | sha256sum)" = "$3  -" ] || fail 65 "$self is damaged or was replaced while it started"
  mkdir "$new/whole"
  payload "$4" "$5" | gzip -dc | tar -xmof - -C "$new/whole" || fail 73 "cannot unpack into $cache"
  sync "$new/whole/$2" || :
  mv -T "$new/whole" "$cache/$1" 2>/dev/null || [ -f "$cache/$1/$2" ] ||
    { mv -T "$cache/$1" "$new/broken" && mv -T "$new/whole" "$cache/$1"; } ||
    fail 73 "cannot unpack into $cache"
}

# Deno reads DENO_* variables; those that the user set are for the app, not for this runtime. The program puts them back.
set_deno_variables_aside() {
  set -f
  for word in $(export -p); do
    case $word in DENO_*=* | NODE_CHANNEL_FD=*) name=${word%%=*} ;; *) continue ;; esac
    case $name in *[!A-Z0-9_]*) continue ;; esac
    eval "[ -n \"\${$name+set}\" ]" || continue
    eval "export SIDECAR_KEPT_$name=\"\$$name\""
    unset "$name"
  done
  set +f
}

set_deno_variables_aside
choose_cache
make_private "$cache" || fail 73 "cannot write the cache $cache (XDG_CACHE_HOME chooses another)"
require_private "$cache"
runtime=$cache/@RUNTIME@/sidecar
program=$cache/@PROGRAM@/lib/main.mjs
export DENO_DIR="$cache/@PROGRAM@/deno" DENO_NO_UPDATE_CHECK=1
[ -f "$runtime" ] || (unpack @RUNTIME@ sidecar @RUNTIME_SHA256@ @RUNTIME_FROM_END@ @RUNTIME_SIZE@)
require_private "$cache/@RUNTIME@"
[ -x "$runtime" ] || fail 77 "the cache $cache is mounted noexec (XDG_CACHE_HOME chooses another)"
if ! [ -f "$program" ]; then
  (unpack @PROGRAM@ lib/main.mjs @PROGRAM_SHA256@ @PROGRAM_FROM_END@ @PROGRAM_SIZE@)
  # Else the first run would parse the program for imports itself and keep 15 MB more of RSS all its life.
  "$runtime" cache -q --no-config --no-lock "$program" </dev/null >/dev/null 2>&1 || :
fi
require_private "$cache/@PROGRAM@"
exec "$runtime" run @FLAGS@ "$program" "$@"
