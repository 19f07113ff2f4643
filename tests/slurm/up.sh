#!/usr/bin/env bash
# Brings up a SLURM of one node on this machine: munged, slurmctld, slurmd. Needs root and the packages
# slurm-wlm and munge. Safe to call again: what runs is left alone, what an earlier call left behind is
# started anew. It never replaces the configuration of a SLURM that is not its own.
set -eu
configuration=/etc/slurm/slurm.conf
host=$(hostname -s)

if scontrol ping 2>/dev/null | grep -q UP && [ -n "$(sinfo -h -t idle,alloc,mix -o %N)" ]; then
    sinfo
    exit 0
fi
if [ -s "$configuration" ] && ! grep -q '^ClusterName=local$' "$configuration"; then
    echo "$configuration is of a SLURM that is not this script's, and it does not answer; start that one." >&2
    exit 1
fi

mkdir -p /run/munge /var/log/munge /var/lib/munge /etc/munge \
    /var/spool/slurmctld /var/spool/slurmd /var/log/slurm /etc/slurm
[ -s /etc/munge/munge.key ] || head -c 1024 /dev/urandom >/etc/munge/munge.key
chown -R munge:munge /etc/munge /run/munge /var/log/munge /var/lib/munge
chmod 400 /etc/munge/munge.key
chmod 755 /run/munge
munge -n >/dev/null 2>&1 || runuser -u munge -- /usr/sbin/munged --force

# A container's own memory may be less than 16 GB, and a node that has less than it says is drained.
memory=$(awk '/^MemTotal/ {m = int($2 / 1024 * 0.9); print (m < 16000 ? m : 16000)}' /proc/meminfo)
cat >"$configuration" <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
MinJobAge=86400
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

# What an earlier call left behind may run with another configuration, or half.
for daemon in slurmd slurmctld; do
    if pid=$(pgrep -x "$daemon"); then
        # shellcheck disable=SC2086
        kill $pid
        for _ in $(seq 50); do pgrep -x "$daemon" >/dev/null || break; sleep 0.2; done
    fi
done
slurmctld
slurmd
for _ in $(seq 120); do
    [ -n "$(sinfo -h -t idle -o %N 2>/dev/null)" ] && break
    # Drained or down since an earlier run.
    scontrol update "nodename=$host" state=resume 2>/dev/null || true
    sleep 0.5
done
sinfo
[ -n "$(sinfo -h -t idle -o %N)" ] || { tail -n 20 /var/log/slurm/*.log >&2; exit 1; }
