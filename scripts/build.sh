# Sourced: configures and builds.

# configure FOLDER [OPTION...]: nothing where the folder is configured already.
configure () {
  local folder=$1
  shift
  [ -f "$folder/build.ninja" ] || meson setup "$folder" --werror "$@"
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
