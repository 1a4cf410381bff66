#!/bin/bash
# Builds the image and runs it as the guide says, before the sandbox: one call, its health, a stop that waits for a call.
# Needs root, podman and a wheel in dist/ (make package). BUILD_FLAGS and RUN_FLAGS are for what this machine needs more.
set -euo pipefail
cd "$(dirname "$0")/../.."
show() { echo; echo "# $*"; "$@"; }
call() {
    curl -s -H 'Content-Type: text/xml' -d '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetScores xmlns="https://ets.org/edm/webservices/"><request><StartDate>2025-04-21T16:45:03</StartDate><EndDate>2025-04-22T16:52:13</EndDate><Type>TOEFL</Type><ReportBy>scorelinkbyreportdate</ReportBy></request></GetScores></s:Body></s:Envelope>' "http://127.0.0.1:8080/TOEFLWebService/TOEFLEdm.asmx"
}

# shellcheck disable=SC2086
podman image exists toefl-shim:0.2.0 || podman build -q --format docker ${BUILD_FLAGS-} -f deploy/container/Dockerfile -t toefl-shim:0.2.0 . >/dev/null
show podman image inspect toefl-shim:0.2.0 --format 'user {{.User}}, {{.Size}} bytes, stops by {{.Config.StopSignal}}'
# shellcheck disable=SC2086
podman run -d --name toefl-sandbox --network host ${RUN_FLAGS-} toefl-shim:0.2.0 sandbox --bind 127.0.0.1:8081 --delay 3 >/dev/null
trap 'podman rm -f -t 0 toefl-sandbox toefl-shim >/dev/null 2>&1 || true' EXIT
until podman logs toefl-sandbox 2>/dev/null | grep -q authcode; do sleep 0.2; done
umask 077
podman logs toefl-sandbox 2>/dev/null | sed -n 's/.*authcode: //p' | podman secret create toefl-authcode - >/dev/null 2>&1 || true
echo
echo '# podman run --read-only --tmpfs /tmp:size=2g --cap-drop all --security-opt no-new-privileges --secret toefl-authcode …'
# shellcheck disable=SC2086
podman run -d --name toefl-shim --network host ${RUN_FLAGS-} --read-only --tmpfs /tmp:size=2g,mode=1777 --cap-drop all \
    --security-opt no-new-privileges --secret toefl-authcode,uid=10001,gid=10001,mode=0400 \
    -e TOEFL_SHIM_AUTHCODES='[{"name": "main", "file": "/run/secrets/toefl-authcode"}]' \
    -e TOEFL_SHIM_UPSTREAM__URL=http://127.0.0.1:8081/scores \
    -e TOEFL_SHIM_CALLERS='[{"name": "here", "networks": ["127.0.0.0/8"]}]' --stop-timeout 100 toefl-shim:0.2.0 >/dev/null
until curl -sf http://127.0.0.1:8079/livez >/dev/null; do sleep 0.2; done
show podman exec toefl-shim id
show podman exec toefl-shim sh -c 'touch /etc/x || true'
show podman exec toefl-shim toefl-shim --version
show podman healthcheck run toefl-shim && echo healthy
echo
echo "# a call of three seconds, while the container is stopped"
call >/tmp/answer.xml &
sleep 1
show podman stop toefl-shim
wait
grep -o '<GetScoresResult>' /tmp/answer.xml && wc -c </tmp/answer.xml
show podman inspect toefl-shim --format 'exit {{.State.ExitCode}}'
rm /tmp/answer.xml
podman secret rm toefl-authcode >/dev/null
