#!/usr/bin/env bash
# Installs the independent programs that the tests talk to, from Debian's packages. Needs root. Nothing is started.
set -euo pipefail

packages=(
  ffmpeg
  python3-gi gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-rtsp gstreamer1.0-x
  gcc g++ libc6-dev libkrb5-dev krb5-user python3-gssapi
  vlc-bin vlc-plugin-base rtsp-server-perl motion
  samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind python3-ntlm-auth
  softhsm2 opensc
  slapd ldap-utils dnsmasq-base
  rsyslog rsyslog-openssl oathtool python3-aiosmtpd libfaketime
  gsoap libgsoap-dev libssl-dev zlib1g-dev python3-lxml
  python3-zeep python3-jwt python3-cryptography onvif-tools chromium curl openssl coreutils 7zip iproute2 nftables e2fsprogs mount util-linux
  libsoap-wsdl-perl libclass-std-fast-perl libio-socket-multicast-perl libdata-uuid-perl libdata-dump-perl libxml-libxml-perl
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "All ${#packages[@]} packages are there."
else
  echo "Installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Debian starts what it installs: OpenLDAP, Samba.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
  fi
  apt-get update -q
  apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
# ZoneMinder's ONVIF modules, without the web server and the database that the package wants.
zoneminder=/opt/viaduct-peers/zoneminder
if [ ! -e "$zoneminder/usr/bin/zmonvif-probe.pl" ]; then
  download=$(mktemp -d)
  mkdir -p "$zoneminder"
  (cd "$download" && apt-get download -q zoneminder)
  dpkg-deb -x "$download"/zoneminder_*.deb "$zoneminder"
  rm -r "$download"
fi
# GStreamer lists its plug-ins when it first runs: programs that begin side by side would each do it, and find some missing.
gst-inspect-1.0 > /dev/null
