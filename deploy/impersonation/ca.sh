#!/bin/sh
# Makes an authority of one's own that can vouch for one name alone, and a server's certificate of it.
# ca.sh FOLDER NAME [DAYS]; an authority that is in FOLDER already is used again.
set -eu
umask 077
name=$2 days=${3:-397}
mkdir -p "$1"
cd "$1"

if [ ! -e ca.key ]; then
    # RSA and SHA-256: what clients of 2008 still read.
    openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days "$days" -subj "/CN=Retired score service ($name)" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -addext "nameConstraints=critical,permitted;DNS:$name" -keyout ca.key -out ca.pem 2>/dev/null
fi

openssl req -new -newkey rsa:2048 -nodes -sha256 -subj "/CN=$name" -keyout server.key -out server.csr 2>/dev/null
cat >server.ext <<END
subjectAltName = DNS:$name
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
END
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days "$days" -extfile server.ext \
    -out server.pem 2>/dev/null
rm server.csr server.ext
chmod 644 ca.pem server.pem
