# Sourced: configures and builds.

# Options with which distributions harden programs.
hardened='-O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security'
[ "$(uname -m)" != x86_64 ] || hardened+=' -fcf-protection'
hardened_options=(-Dbuildtype=plain -Db_pie=true "-Dc_args=$hardened" "-Dcpp_args=$hardened"
                  '-Dc_link_args=-Wl,-z,relro,-z,now' '-Dcpp_link_args=-Wl,-z,relro,-z,now')

# Settings that can change only in an empty folder: Meson keeps them for good.
fixed () {
  local name
  printf '%s\n' "$@"
  for name in CC CXX CPPFLAGS CFLAGS CXXFLAGS LDFLAGS PKG_CONFIG_PATH PKG_CONFIG_LIBDIR; do echo "$name=${!name:-}"; done
  ${CC:-cc} --version | head -n 1
}

# The optional dependencies of meson.build, as they are on this machine now.
optional () {
  local name
  for name in gio-2.0 gtk4 libunwind libdex-1 xtst x11; do
    echo "$name: $(pkg-config --modversion "$name" 2>/dev/null)"
  done
  for name in "${CXX:-c++}" gcc g++ clang clang++ glib-compile-resources readelf valac; do
    echo "$name: $(command -v $name)"
  done
  for name in valgrind/valgrind.h; do
    echo "$name: $(${CC:-cc} -E -include "$name" -x c -o /dev/null /dev/null 2>/dev/null && echo found)"
  done
}

# Meson uses a compiler cache if there is one, but the cache compiles nothing if it
# has no folder to write into.
avoid_useless_cache () {
  if command -v ccache >/dev/null 2>&1; then
    ccache ${CC:-cc} -x c -c -o /dev/null /dev/null >/dev/null 2>&1 || export CCACHE_DISABLE=1
  fi
}

# configure FOLDER [OPTION...]: does nothing if the folder is configured already with
# these options, and the optional dependencies have not changed.
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

# quietly COMMAND...: shows the command's output only if the command failed.
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
