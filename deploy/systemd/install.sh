#!/bin/sh
# Installs or upgrades the gateway under /opt/toefl-shim, and its unit; run as root in an unpacked release:
# deploy/systemd/install.sh dist/toefl_soap_shim-VERSION-py3-none-any.whl
# What is installed is exactly what requirements/postgresql.txt locks. The version before stays in /opt/toefl-shim-VERSION.
set -eu
wheel=$(realpath "$1")
cd "$(dirname "$0")/../.."
version=$(basename "$wheel" | cut -d- -f2)

python3 -m venv "/opt/toefl-shim-$version"
"/opt/toefl-shim-$version/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/postgresql.txt
"/opt/toefl-shim-$version/bin/pip" install -q --disable-pip-version-check --no-deps "$wheel"

install -d /etc/toefl-shim
[ -e /etc/toefl-shim/gateway.toml ] || install -m 644 deploy/gateway.toml /etc/toefl-shim/
# Only root reads it; systemd hands the gateway a copy.
[ -e /etc/toefl-shim/authcode ] || install -m 600 /dev/null /etc/toefl-shim/authcode
install -m 644 deploy/RUNBOOK.md /etc/toefl-shim/
install -m 644 deploy/systemd/toefl-shim@.service /etc/systemd/system/
ln -sfn "toefl-shim-$version" /opt/toefl-shim
[ ! -d /run/systemd/system ] || systemctl daemon-reload

"/opt/toefl-shim/bin/toefl-shim" --version
