#!/bin/sh
# Says as whom it runs, and is no plugin.
echo "uid=$(id -u) groups=$(id -G | tr ' ' ,) $(grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status | tr '\n' ' ')" >&2
if touch "$PLUGIN_UNIX_SOCKET_DIR/probe"; then echo sockets writable >&2; fi
exit 1
