# SPDX-License-Identifier: Apache-2.0
# Tests deploy/tls: a daemon on loopback behind nginx, with a password and with
# client certificates. Without credentials nginx serves nothing; with them a
# Prometheus can scrape.
# shellcheck shell=bash
. "$ROOT/tests/install/hosts.sh"
trap stop_all EXIT

TLS=$WORK/tls
mapfile -t PORTS < <(free_ports 3)
DAEMON=${PORTS[0]} PROXY=${PORTS[1]} SERVER=${PORTS[2]}

# nginx_with SITE: runs nginx with nothing but the site, on our ports and paths.
nginx_with() {
  local directory=$WORK/nginx
  mkdir -p "$directory"
  sed -e "s#/etc/page-fault-exporter/tls#$TLS#; s/127.0.0.1:9110/127.0.0.1:$DAEMON/" \
    -e "s/listen 9443/listen 127.0.0.1:$PROXY/; /listen \[::\]/d" \
    "$ROOT/deploy/tls/$1" >"$directory/site"
  cat >"$directory/nginx.conf" <<CONFIGURATION
user root;
daemon off;
pid $directory/pid;
error_log $directory/error.log;
events {}
http {
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  include $directory/site;
}
CONFIGURATION
  start nginx nginx -c "$directory/nginx.conf" -e "$directory/error.log"
  NGINX=$PID
}

prometheus_with() {
  sed -e "s#/etc/prometheus/page-fault-exporter#$TLS#" \
    -e "s/host.example:9443/127.0.0.1:$PROXY/" \
    -e "s/^scrape_configs:/global: {scrape_interval: 1s}\n&/" \
    "$ROOT/deploy/tls/$1" >"$WORK/prometheus.yml"
  rm -rf "$WORK/tsdb"
  start prometheus prometheus --config.file="$WORK/prometheus.yml" \
    --storage.tsdb.path="$WORK/tsdb" --web.listen-address="127.0.0.1:$SERVER"
  PROMETHEUS=$PID
}

# scrape OPTION...: what a scraper with curl's options gets.
scrape() {
  curl -s -f --max-time 5 --cacert "$TLS/ca.crt" "$@" \
    "https://127.0.0.1:$PROXY/metrics"
}

# served OPTION...: whether there is a sample in it, whatever the status.
served() {
  curl -s --max-time 5 --cacert "$TLS/ca.crt" "$@" \
    "https://127.0.0.1:$PROXY/metrics" | grep '^page_fault'
}

# variant NAME SITE SCRAPE GOOD...: tests a site. GOOD are the options with
# which curl gets the metrics.
variant() {
  local name=$1 site=$2 configuration=$3
  shift 3
  nginx_with "$site"
  check "tls $name: with credentials the metrics come" \
    eventually 10 scrape "$@" -o /dev/null
  check "tls $name: nothing without credentials" refused served
  check "tls $name: nothing without TLS" refused \
    bash -c 'curl -s --max-time 5 "http://127.0.0.1:$1/metrics" | grep ^page_fault' - "$PROXY"
  check "tls $name: nothing but GET" refused served "$@" -X POST
  check "tls $name: gzip passes through" bash -c '"$@" | gunzip | grep ^page_faults_total' - \
    curl -s --cacert "$TLS/ca.crt" "$@" -H 'Accept-Encoding: gzip' \
    "https://127.0.0.1:$PROXY/metrics"
  check "tls $name: no trust in another authority" refused \
    curl -s --max-time 5 --cacert "$TLS/other/ca.crt" "$@" \
    "https://127.0.0.1:$PROXY/metrics"
  prometheus_with "$configuration"
  check "tls $name: a Prometheus scrapes it" \
    eventually 30 answers "$SERVER" 'up{job="page-fault-exporter"}' ' 1$'
  check "tls $name: Prometheus has the faults" \
    eventually 30 answers "$SERVER" 'page_faults_total{pid="3"}' ' 28$'
  stop "$NGINX" "$PROMETHEUS"
}

install_packages nginx-light prometheus jq openssl
"$ROOT/deploy/tls/make-certificates" "$TLS" 127.0.0.1
"$ROOT/deploy/tls/make-certificates" "$TLS/other" 127.0.0.1
printf 'secret' >"$TLS/password"
printf 'prometheus:%s\n' "$(openssl passwd -6 secret)" >"$TLS/users"
table "$WORK/debug" 5 7
start daemon "$BUILD/exporter/page_fault_exporter" --path.debugfs "$WORK/debug" \
  --web.listen-address="127.0.0.1:$DAEMON" --interval 1s

variant password nginx-password.conf prometheus-password.yml -u prometheus:secret
nginx_with nginx-password.conf
eventually 10 scrape -u prometheus:secret >/dev/null
check "tls password: nothing with a wrong one" refused served -u prometheus:wrong
stop "$NGINX"
client=(--cert "$TLS/client.crt" --key "$TLS/client.key")
variant certificate nginx-client-certificate.conf \
  prometheus-client-certificate.yml "${client[@]}"
nginx_with nginx-client-certificate.conf
eventually 10 scrape "${client[@]}" >/dev/null
check "tls certificate: nothing with another authority's" refused \
  served --cert "$TLS/other/client.crt" --key "$TLS/other/client.key"
stop "$NGINX"
