#!/usr/bin/env bash
# influx2.sh FOLDER: build influxd 2.9.1 as FOLDER/influxd. Needs Go, Rust, build-essential, clang, pkg-config.
set -euo pipefail
cd "$1"
export GOTOOLCHAIN=local
folder_of() { go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }
copy() { cp -r "$(folder_of "$1")" "$2" && chmod -R u+w "$2"; }  # the module cache is read-only

copy github.com/influxdata/influxdb/v2@v2.9.1 influxdb
flux=$(cd influxdb && go list -m -f '{{.Version}}' github.com/influxdata/flux)
copy "github.com/influxdata/flux@$flux" flux
rm -f flux/rust-toolchain.toml flux/libflux/rust-toolchain.toml                 # any Rust will do
sed -i 's/deny(warnings, missing_docs)/allow(warnings)/' \
  flux/libflux/flux/src/lib.rs flux/libflux/flux-core/src/lib.rs                # a newer one warns where the old did not
(cd flux/libflux/flux && CARGO_PROFILE_RELEASE_LTO=off \
  cargo build --release --locked --no-default-features --features cffi)

mkdir -p libflux/lib libflux/include
cp flux/libflux/target/release/libflux.a libflux/lib/
cp -r flux/libflux/include/influxdata libflux/include/
# Go finds the library by pkg-config; the version must be the one that go.mod names.
cat >libflux/flux.pc <<EOF
prefix=$PWD/libflux
Name: flux
Description: libflux
Version: ${flux#v}
Libs: -L\${prefix}/lib -lflux -ldl -lpthread -lm
Cflags: -I\${prefix}/include
EOF
export PKG_CONFIG_PATH=$PWD/libflux
cd influxdb
go build -tags sqlite_foreign_keys,sqlite_json -ldflags "-s -w -X main.version=2.9.1" -o ../influxd ./cmd/influxd
