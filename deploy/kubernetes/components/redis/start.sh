# As in docker-compose.yml. The password comes by standard input: a command line can be read by everyone on the host.
# The container's limit, by either version of cgroups; without one, this machine's memory.
limit=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true)
read -r _ kilobytes _ </proc/meminfo
case "$limit" in ''|*[!0-9]*) limit=$((kilobytes * 1024)) ;; esac
if [ "$((limit / 1024))" -gt "$kilobytes" ]; then limit=$((kilobytes * 1024)); fi
# Redis refuses writes before the kernel would kill it, which then would load the same file again. The rest
# is for what is written while the append-only file is rewritten, for connections and for fragmentation.
exec redis-server - --appendonly yes --appendfsync always --maxmemory-policy noeviction --save "" \
  --maxmemory "$((limit / 100 * 60))" "$@" <<END
requirepass $(cat /run/secrets/redis_password)
END
