#!/bin/bash
# The guide's commands, with the sandbox as TOEFL Access; from-zero.sh runs it on a fresh machine.
set -Eeuo pipefail
trap 'journalctl -u "toefl-shim@*" -b --no-pager -n 40' ERR
cd /srv/release
show() { echo; echo "# $*"; "$@"; }
install() {
    echo
    echo "# apt-get install $*"
    apt-get install -y -qq --no-install-recommends "$@" >/tmp/apt.txt 2>&1 || { cat /tmp/apt.txt; false; }
}

install python3-venv nginx-light openssl ca-certificates
show deploy/systemd/install.sh dist/toefl_soap_shim-*.whl

# Instead of the real authcode and address: those of the sandbox.
/opt/toefl-shim/bin/toefl-shim sandbox --bind 127.0.0.1:8099 >/tmp/sandbox.txt &
until [ -s /tmp/sandbox.txt ]; do sleep 0.1; done
sed 's/.*authcode: //' /tmp/sandbox.txt >/etc/toefl-shim/authcode
sed -i -e 's|^url = .*|url = "http://127.0.0.1:8099/scores"|' -e 's|scores.example.edu|datamanager.ets.org|' /etc/toefl-shim/gateway.toml
cat >>/etc/toefl-shim/gateway.toml <<'END'
[[callers]]
name     = "registrar-import"
networks = ["127.0.0.0/8"]
END

show /opt/toefl-shim/bin/toefl-shim check -c /etc/toefl-shim/gateway.toml
show systemctl enable -q --now toefl-shim@8081 toefl-shim@8082
show systemctl is-active toefl-shim@8081 toefl-shim@8082
show systemctl show -p Type -p ActiveState -p StatusText -p User -p DynamicUser toefl-shim@8081
show python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:18081/readyz").read().decode().strip())'

# nginx in the old host's place, with a certificate of one's own authority.
show deploy/impersonation/ca.sh /etc/nginx/tls datamanager.ets.org
cp /etc/nginx/tls/server.pem /etc/nginx/tls/scores.pem
cp /etc/nginx/tls/server.key /etc/nginx/tls/scores.key
cp deploy/nginx/toefl-shim-proxy.inc /etc/nginx/
cp deploy/nginx/10-toefl-shim.conf /etc/nginx/conf.d/
sed -i 's/scores.example.edu/datamanager.ets.org/' /etc/nginx/conf.d/10-toefl-shim.conf
rm -f /etc/nginx/sites-enabled/default
sed -i "s/listen 443 /listen ${PORT:-443} /" /etc/nginx/conf.d/10-toefl-shim.conf
show nginx -t
show systemctl restart nginx

# The client's machine: it resolves the old name to the gateway's, and trusts its authority.
install mono-mcs mono-devel ca-certificates-mono
printf '127.0.0.1 localhost datamanager.ets.org\n' >/tmp/hosts
mount --bind /tmp/hosts /etc/hosts
export HOME=/root XDG_CONFIG_HOME=/root/.config
show cert-sync --user /etc/nginx/tls/ca.pem
mkdir -p /tmp/client
cd /tmp/client
show svcutil -out:Client.cs https://datamanager.ets.org/TOEFLWebService/TOEFLEdm.wsdl
cp /srv/release/tests/clients/csharp/{Guide,Outcome}.cs .
cat >Program.cs <<'END'
static class Program { static void Main() { Outcome.PrintEach((operation, start, end) => Guide.GetScores()); } }
END
sed -e 's|http://127.0.0.1:8080|https://datamanager.ets.org|' \
    -e 's|<binding name="TOEFLEdmSoap" />|<binding name="TOEFLEdmSoap"><security mode="Transport" /></binding>|' \
    /srv/release/tests/clients/csharp/App.config >program.exe.config
show mcs -r:System.ServiceModel -r:System.Runtime.Serialization -r:System.Web.Services -out:program.exe ./*.cs
echo "GetScores start end" | show mono program.exe

# A new authcode and a new version come by one gateway after the other: nothing fails.
(for call in $(seq 40); do echo "GetScores start end"; done) | mono program.exe >/tmp/calls.txt &
client=$!
sleep 1
show systemctl restart toefl-shim@8081
show systemctl restart toefl-shim@8082
wait "$client"
echo
sort /tmp/calls.txt | sed 's/ [0-9a-f]\{64\} / … /' | uniq -c
show systemctl reload toefl-shim@8081
echo 'wrong = 1' >>/etc/toefl-shim/gateway.toml
show systemctl reload toefl-shim@8081 || echo "a wrong configuration: the reload fails, and $(systemctl is-active toefl-shim@8081)"
show systemd-analyze security --no-pager toefl-shim@8081 | tail -1
show systemctl stop toefl-shim@8081 toefl-shim@8082
show ls /var/lib/toefl-shim/8081/ledger.db /var/lib/toefl-shim/8082/ledger.db
journalctl -b -u 'toefl-shim@*' -o cat | grep -c '"outcome": "ok"' | sed 's/^/calls in the journal: /'
