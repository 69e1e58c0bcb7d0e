#!/bin/sh
# Checks an installed tree as somebody else's project sees it.
#   check.sh install|headers|cmake|pkg-config|symbols|program BUILD_FOLDER WORK_FOLDER
# `install` fills WORK_FOLDER/prefix from BUILD_FOLDER; the others need that.
set -eu
what=$1 build=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
prefix=$work/prefix
libdir=$prefix/lib
for dir in "$prefix"/lib/*-linux-*; do
  if [ -e "$dir/pkgconfig/moccasin.pc" ]; then libdir=$dir; fi
done

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Run a program; its last line must be OK.
expect_ok() {
  output=$("$@") || fail "$1 failed: $output"
  echo "$output"
  [ "$(echo "$output" | tail -n 1)" = OK ] || fail "$1 did not end with OK"
}

case $what in
install)
  rm -rf "$work"
  cmake --install "$build" --prefix "$prefix" > /dev/null
  for file in bin/moccasin include/moccasin/moccasin.h include/moccasin/moccasin_io.h share/man/man1/moccasin.1 \
    share/bash-completion/completions/moccasin; do
    [ -s "$prefix/$file" ] || fail "$file was not installed"
  done
  others=$(find "$prefix/include" -type f ! -name moccasin.h ! -name moccasin_io.h)
  [ -z "$others" ] || fail "headers that are not public were installed: $others"
  ;;
headers) # each stands alone, as C17 and as C++17
  for header in moccasin moccasin_io; do
    printf '#include <moccasin/%s.h>\n#include <moccasin/%s.h>\nint main(void) { return moc_version() == 0; }\n' \
      $header $header > "$work/$header.c"
    cp "$work/$header.c" "$work/$header.cc"
    flags="-I$prefix/include -Wall -Wextra -Wpedantic -Werror -fsyntax-only"
    ${CC:-cc} -std=c17 -Wstrict-prototypes $flags "$work/$header.c"
    if command -v "${CXX:-c++}" > /dev/null; then
      ${CXX:-c++} -std=c++17 $flags "$work/$header.cc"
    else
      fail "no C++ compiler was found; set CXX"
    fi
  done
  ;;
cmake)
  rm -rf "$work/cmake"
  cmake -S "$here/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release > /dev/null
  cmake --build "$work/cmake" > /dev/null
  for program in plan_shared plan_static convert_shared convert_static; do expect_ok "$work/cmake/$program"; done
  if ldd "$work/cmake/plan_static" | grep -q libmoccasin; then fail "plan_static needs the shared library"; fi
  # The tree can be moved.
  mv "$prefix" "$prefix.moved"
  cmake -S "$here/consumer" -B "$work/cmake-moved" -DCMAKE_PREFIX_PATH="$prefix.moved" > "$work/log" 2>&1 ||
    { mv "$prefix.moved" "$prefix"; cat "$work/log"; fail "the package cannot be found after a move"; }
  mv "$prefix.moved" "$prefix"
  rm -rf "$work/cmake-moved"
  ;;
pkg-config)
  mkdir -p "$work/make"
  PKG_CONFIG_PATH=$libdir/pkgconfig make -s -B -C "$here/consumer" OUT="$work/make"
  for program in plan_shared convert_shared; do
    ldd "$work/make/$program" | grep -q libmoccasin || fail "$program does not use the shared library"
    LD_LIBRARY_PATH=$libdir expect_ok "$work/make/$program"
  done
  for program in plan_static convert_static; do
    if ldd "$work/make/$program" | grep -q libmoccasin; then fail "$program needs the shared library"; fi
    expect_ok "$work/make/$program"
  done
  ;;
symbols) # what a library shows to the outside is the public interface and nothing else
  for library in moccasin moccasin-io; do
    file=$libdir/lib$library.so
    nm -D --defined-only "$file" | awk '{ print $3 }' | sed 's/@.*//' | sort > "$work/$library.symbols"
    hidden=$(grep -v '^moc_[a-z]' "$work/$library.symbols" || true)
    [ -z "$hidden" ] || fail "$file exports $hidden"
    header=$prefix/include/moccasin/$(echo $library | tr - _).h
    sed -n 's/^MOC_API.*[ *]\(moc_[a-z_]*\)(.*/\1/p' "$header" | sort > "$work/$library.declared"
    [ -s "$work/$library.declared" ] || fail "no declarations were found in $header"
    diff "$work/$library.declared" "$work/$library.symbols" || fail "$file and $header differ"
    readelf -d "$file" | grep -q "SONAME.*lib$library\.so\.[0-9]" || fail "$file has no versioned soname"
  done
  ;;
program)
  "$prefix/bin/moccasin" --version | grep -q '[0-9]\.[0-9]' || fail "moccasin --version says no version"
  "$prefix/bin/moccasin" --help > /dev/null || fail "moccasin --help failed"
  ;;
*)
  fail "unknown check: $what"
  ;;
esac
