# Sourced: configures and builds.

# What distributions ask for so that faults do less harm.
hardened='-O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security'
[ "$(uname -m)" != x86_64 ] || hardened+=' -fcf-protection'
hardened_options=(-Dbuildtype=plain -Db_pie=true "-Dc_args=$hardened" "-Dcpp_args=$hardened"
                  '-Dc_link_args=-Wl,-z,relro,-z,now' '-Dcpp_link_args=-Wl,-z,relro,-z,now')

# What is configured anew only in an empty folder: Meson keeps these for good.
fixed () {
  local name
  printf '%s\n' "$@"
  for name in CC CXX CPPFLAGS CFLAGS CXXFLAGS LDFLAGS PKG_CONFIG_PATH PKG_CONFIG_LIBDIR; do echo "$name=${!name:-}"; done
  ${CC:-cc} --version | head -n 1
}

# What meson.build asks for and can do without, as it is on this machine now.
optional () {
  local name
  for name in gio-2.0 gtk4 libdex-1 xtst x11; do
    echo "$name: $(pkg-config --modversion "$name" 2>/dev/null)"
  done
  for name in "${CXX:-c++}" gcc g++ clang clang++ glib-compile-resources readelf valac; do
    echo "$name: $(command -v $name)"
  done
  for name in valgrind/valgrind.h; do
    echo "$name: $(${CC:-cc} -E -include "$name" -x c -o /dev/null /dev/null 2>/dev/null && echo found)"
  done
}

# Meson takes a compiler cache where there is one, which compiles nothing where it
# has no folder to write into.
avoid_useless_cache () {
  if command -v ccache >/dev/null 2>&1; then
    ccache ${CC:-cc} -x c -c -o /dev/null /dev/null >/dev/null 2>&1 || export CCACHE_DISABLE=1
  fi
}

# configure FOLDER [OPTION...]: nothing where the folder is configured already,
# like this, and what was there then and what was not has not changed.
configure () {
  local folder=$1 fixed optional
  shift
  avoid_useless_cache
  fixed=$(fixed "$@")
  optional=$(optional)
  if [ ! -f "$folder/build.ninja" ]; then
    meson setup "$folder" --werror "$@" || return 1
  elif [ -f "$folder/configured-fixed" ] && [ "$fixed" != "$(cat "$folder/configured-fixed")" ]; then
    meson setup --wipe "$folder" --werror "$@" || return 1
  elif [ "$optional" != "$(cat "$folder/configured-optional" 2>/dev/null)" ]; then
    # Meson remembers even that there was no header.
    meson configure "$folder" --clearcache && meson setup --reconfigure "$folder" --werror "$@" || return 1
  fi
  echo "$fixed" >"$folder/configured-fixed"
  echo "$optional" >"$folder/configured-optional"
}

# quietly COMMAND...: shows what it printed only if it failed.
quietly () {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
