#!/bin/sh
# Builds librdkafka and our glue into one shared library: build.sh PACKAGE OUTPUT, where PACKAGE is the npm package that
# librdkafka's source comes with. Downloads nothing, and links what it can statically, so that the library runs where nothing
# is installed. The archive of a package's version is kept beside OUTPUT, for building it takes half a minute.
set -eu
CC=${CC:-cc}
package=$1
output=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$package/package.json")
kept=$(dirname "$output")/librdkafka-$version

if [ ! -f "$kept/librdkafka.a" ]; then
  tree=$kept.tree
  rm -rf "$tree" "$kept"
  mkdir -p "$tree" "$kept"
  cp -R "$package/deps/librdkafka/." "$tree"
  # Kerberos, OAuth over HTTP and zstd need libraries beyond a compiler's own; what Kafka needs of the rest is bundled.
  if ! (
    cd "$tree"
    CC=$CC ./configure --no-download --disable-gssapi --disable-curl --disable-zstd --disable-lz4-ext --disable-syslog \
      --disable-debug-symbols
    make -j"$(getconf _NPROCESSORS_ONLN)" -C src librdkafka.a
  ) >"$kept.log" 2>&1; then
    tail -5 "$kept.log"
    echo "kafka: librdkafka can't be built here ($kept.log says why); EVENT_LOG_URL=kafka:// will be refused"
    exit 0
  fi
  mv "$tree/config.h" "$tree/src/rdkafka.h" "$kept"
  mv "$tree/src/librdkafka.a" "$kept"
  rm -rf "$tree"
fi

# Our own copy of each library, where there is an archive of it. Only the names of exports.map leave this library, so that
# it can't meet another OpenSSL in the process.
library() {
  archive=$($CC -print-file-name="lib$1.a")
  if [ -f "$archive" ]; then echo "$archive"; else echo "-l$1"; fi
}
libraries=""
if grep -q '^#define WITH_SSL 1' "$kept/config.h"; then
  libraries="$(library ssl) $(library crypto)"
  encryption="with TLS and SASL"
else
  encryption="without TLS and SASL, for OpenSSL's headers are not here (Debian: libssl-dev)"
fi
if grep -q '^#define WITH_ZLIB 1' "$kept/config.h"; then libraries="$libraries $(library z)"; fi
# The headers of librdkafka are a system's, so that our warnings are about our code.
# shellcheck disable=SC2086
$CC -O2 -std=c11 -Wall -Wextra -Werror -fPIC -shared -pthread -s -isystem "$kept" \
  -Wl,--version-script="$here/exports.map" -o "$output.new" "$here/glue.c" \
  -Wl,--whole-archive "$kept/librdkafka.a" -Wl,--no-whole-archive $libraries -lm -ldl -lrt
mv "$output.new" "$output"
echo "kafka: $output built, $encryption"
