#!/bin/sh
# from_suite.sh SUITE PACKAGE FILE: takes one program out of a package of another Debian suite and puts it into
# /usr/local/bin, as root. Apt itself fetches and checks it, from the mirror that this machine uses already, in a directory of
# its own: neither apt's settings nor dpkg's records of this machine change, and no dependency is installed.
set -eu

suite=$1 package=$2 file=$3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
mkdir -p "$world/lists/partial" "$world/archives/partial" "$world/none" "$world/unpacked"
: > "$world/status"

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v release="$VERSION_CODENAME" '$2 == release && $3 == "main" { print $1 }' | sort -u | sed -n 1p)
if [ -z "$mirror" ]; then
  echo "from_suite: apt knows no mirror of Debian here (run apt-get update first)" >&2
  exit 1
fi
echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $mirror $suite main" > "$world/sources.list"

apt() {
  apt-get -q \
    -o Dir::Etc::sourcelist="$world/sources.list" -o Dir::Etc::sourceparts="$world/none" \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$world/none" \
    -o Dir::State::lists="$world/lists" -o Dir::State::status="$world/status" \
    -o Dir::Cache="$world" -o Dir::Cache::archives="$world/archives" \
    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

apt update
cd "$world"
apt download "$package"
dpkg-deb -x "$world/$package"_*.deb "$world/unpacked"
install -m 0755 "$world/unpacked/$file" "/usr/local/bin/$(basename "$file")"
