#!/usr/bin/env bash
# What `make dist` runs: builds the program to hand out, and leaves in dist/ an archive of it and, where dpkg-deb is, a
# Debian package. Both hold one program, the model inside it, and links named as the nodes are.
set -euo pipefail
cd "$(dirname "$0")/.."

# zlib and OpenSSL go in as well, whether or not this system has them.
unset OPENSSL_NO_VENDOR
LIBZ_SYS_STATIC=1 cargo build --release --locked -p seggpt-cli
program=target/release/seggpt
version=$("$program" -V | awk '{print $2}')
target=$(rustc -vV | sed -n 's/^host: //p')
date=@$(git log -1 --format=%ct 2>/dev/null || date +%s) # the same source makes the same files

# What it loads must be on every system of its kind.
needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
strangers=$(grep -vE '^(libc|libm|libgcc_s|ld-linux.*)\.so\.' <<< "$needed" || true)
[ -z "$strangers" ] || { echo "$program needs more than libc and libgcc:" $strangers >&2; exit 1; }

name=seggpt-$version-$target
rm -rf "dist/$name"
mkdir -p "dist/$name"
install -m 755 "$program" "dist/$name/seggpt"
"dist/$name/seggpt" link "dist/$name" > /dev/null
cp LICENSE README.md "dist/$name/"
cp models/base/MODEL_CARD.md "dist/$name/"
cp models/base/LICENSE "dist/$name/LICENSE-base-model"
cp models/base/NOTICE "dist/$name/NOTICE-base-model"
python3 tools/notices.py > "dist/$name/THIRD_PARTY_LICENSES.txt"
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="$date" --directory dist "$name" | gzip -9n > "dist/$name.tar.gz"
made=("dist/$name.tar.gz")

if command -v dpkg-deb > /dev/null; then
    architecture=$(dpkg --print-architecture)
    root=dist/debian doc=dist/debian/usr/share/doc/seggpt
    rm -rf "$root"
    mkdir -p "$root/DEBIAN" "$root/usr/bin" "$doc"
    cp -P "dist/$name"/seggpt* "$root/usr/bin/"
    cp "dist/$name/MODEL_CARD.md" "dist/$name/LICENSE-base-model" "dist/$name/NOTICE-base-model" "$doc/"
    cp LICENSE "$doc/copyright"
    gzip -9nc README.md > "$doc/README.md.gz"
    gzip -9nc "dist/$name/THIRD_PARTY_LICENSES.txt" > "$doc/THIRD_PARTY_LICENSES.txt.gz"
    glibc=$(readelf -V "$program" | grep -oE 'GLIBC_[0-9.]+' | sort -V | tail -n 1)
    cat > "$root/DEBIAN/control" <<END
Package: seggpt
Version: $version
Architecture: $architecture
Maintainer: dora-seggpt <dora-seggpt@users.noreply.github.com>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f 1)
Depends: libc6 (>= ${glibc#GLIBC_}), libgcc-s1
Section: science
Priority: optional
Homepage: https://github.com/dora-seggpt/dora-seggpt
Description: segments pictures after a few labelled examples
 SegGPT (ICCV 2023) as one program: shown pictures with their masks, it paints
 the masks of others. It brings a small model along, reads the published one,
 and runs the work as a dora dataflow, whose engine and nodes are inside.
END
    find "$root" -exec touch --no-dereference --date="$date" {} +
    package=dist/seggpt_${version}_$architecture.deb
    SOURCE_DATE_EPOCH=${date#@} dpkg-deb --root-owner-group --build "$root" "$package" > /dev/null
    rm -rf "$root"
    made+=("$package")
fi
rm -rf "dist/$name"
ls -l "${made[@]}"
