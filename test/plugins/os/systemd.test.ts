// systemd's units through systemctl's answers.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSystemd } from '../../../plugins/os/systemd.ts';
import { parseSystemdTime } from '../../../plugins/os/systemd-answers.ts';
import type { RunCommand } from '../../../plugins/sdk/command.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';

const UNITS = `sys-devices-x.device      loaded    active   plugged   A device
ssh.service               loaded    active   running   OpenBSD Secure Shell server
broken.service            loaded    failed   failed    Something that fails
gone.service              not-found inactive dead      gone.service
ssh.socket                loaded    active   listening Sockets of ssh
daily.timer               loaded    active   waiting   Daily work
multi-user.target         loaded    active   active    Multi-User System
`;
const MANAGER = 'Version=252.30-1~deb12u2\nSystemState=degraded\nVirtualization=kvm\n';
const DETAILS = `Type=notify
NRestarts=2
Id=ssh.service
ActiveState=active
ActiveEnterTimestamp=Sat 2026-11-21 15:04:05 UTC
TasksCurrent=3
TasksMax=[not set]

Type=simple
NRestarts=7
Id=broken.service
ActiveState=failed

NAccepted=5
NConnections=1
NRefused=0
Id=ssh.socket
ActiveState=active

LastTriggerUSec=Sat 2026-11-21 00:00:01 UTC
Id=daily.timer
ActiveState=active
`;

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-systemd-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function hostOf(run: RunCommand, options: Readonly<Record<string, unknown>> = {}): FakeHost {
  const plugin = definePlugin({ name: 'os', version: '1', collectors: [newSystemd(run)] });
  return new FakeHost(plugin, { roots: { rootfs: root }, collectors: { systemd: { options } } });
}

/** A systemctl that knows moments in UTC, or one that is too old for it. */
const systemctl =
  (isOld = false): RunCommand =>
  async (_, args) => {
    if (args[0] === 'list-units') return { code: 0, stdout: UNITS, stderr: '' };
    if (args.length === 2) return { code: 0, stdout: MANAGER, stderr: '' };
    if (args.includes('--timestamp=utc') === isOld) {
      return { code: 1, stdout: '', stderr: "unrecognized option '--timestamp=utc'" };
    }
    return { code: 0, stdout: isOld ? DETAILS.replaceAll('UTC', 'CET') : DETAILS, stderr: '' };
  };

const withoutTypes = (text: string): string => text.replace(/^# .*\n/gm, '');

describe('systemd', () => {
  it('exposes states, restarts, sockets, timers and the manager', async () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const host = hostOf(systemctl(), { unitExclude: '\\.(device|target|timer)$' });
    expect(
      withoutTypes(await host.collect()),
    ).toBe(`node_scrape_collector_success{collector="systemd"} 1
node_systemd_service_restart_total{name="broken.service"} 7
node_systemd_service_restart_total{name="ssh.service"} 2
node_systemd_socket_accepted_connections_total{name="ssh.socket"} 5
node_systemd_socket_current_connections{name="ssh.socket"} 1
node_systemd_socket_refused_connections_total{name="ssh.socket"} 0
node_systemd_system_running 0
node_systemd_unit_state{name="broken.service",state="activating",type="simple"} 0
node_systemd_unit_state{name="broken.service",state="active",type="simple"} 0
node_systemd_unit_state{name="broken.service",state="deactivating",type="simple"} 0
node_systemd_unit_state{name="broken.service",state="failed",type="simple"} 1
node_systemd_unit_state{name="broken.service",state="inactive",type="simple"} 0
node_systemd_unit_state{name="ssh.service",state="activating",type="notify"} 0
node_systemd_unit_state{name="ssh.service",state="active",type="notify"} 1
node_systemd_unit_state{name="ssh.service",state="deactivating",type="notify"} 0
node_systemd_unit_state{name="ssh.service",state="failed",type="notify"} 0
node_systemd_unit_state{name="ssh.service",state="inactive",type="notify"} 0
node_systemd_unit_state{name="ssh.socket",state="activating"} 0
node_systemd_unit_state{name="ssh.socket",state="active"} 1
node_systemd_unit_state{name="ssh.socket",state="deactivating"} 0
node_systemd_unit_state{name="ssh.socket",state="failed"} 0
node_systemd_unit_state{name="ssh.socket",state="inactive"} 0
node_systemd_units{state="activating"} 0
node_systemd_units{state="active"} 5
node_systemd_units{state="deactivating"} 0
node_systemd_units{state="failed"} 1
node_systemd_units{state="inactive"} 1
node_systemd_version{version="252.30-1~deb12u2"} 252.3
node_systemd_virtualization_info{virtualization_type="kvm"} 1
`);
    host.close();
  });

  it('exposes moments and tasks where they are asked for', async () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const options = { enableTaskMetrics: true, enableStartTimeMetrics: true };
    const host = hostOf(systemctl(), options);
    const text = await host.collect();
    expect(text).toContain(
      'node_systemd_timer_last_trigger_seconds{name="daily.timer"} 1795219201\n',
    );
    expect(text).toContain('node_systemd_unit_start_time_seconds{name="ssh.service"} 1795273445\n');
    expect(text).toContain('node_systemd_unit_start_time_seconds{name="broken.service"} 0\n');
    expect(text).toContain('node_systemd_unit_tasks_current{name="ssh.service"} 3\n');
    expect(text).not.toContain('unit_tasks_max');
    host.close();
  });

  it('leaves moments out where systemctl is too old to tell them in UTC', async () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const host = hostOf(systemctl(true));
    const text = await host.collect();
    expect(text).toContain('node_systemd_service_restart_total{name="ssh.service"} 2\n');
    expect(text).not.toContain('last_trigger');
    host.close();
  });

  it('exposes no more units than it may, and counts them all', async () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const host = hostOf(systemctl(), { unitsMax: 1 });
    const text = await host.collect();
    expect(text.match(/node_systemd_unit_state\{/g)).toHaveLength(5);
    expect(text).toContain('node_systemd_units{state="active"} 5\n');
    host.close();
  });

  it('asks nobody where systemd does not run', async () => {
    const host = hostOf(async () => {
      throw new Error('asked');
    });
    expect(await host.collect()).toContain('node_scrape_collector_success{collector="systemd"} 0');
    expect(host.failures).toEqual([]);
    host.close();
  });

  it('reports what systemctl says where it fails', async () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const host = hostOf(async () => ({
      code: 1,
      stdout: '',
      stderr: 'Failed to connect to bus\n',
    }));
    await host.collect();
    expect(host.failures.map(({ message }) => message)).toEqual([
      'run systemctl list-units: Failed to connect to bus',
    ]);
    host.close();
  });
});

describe('moments of systemd', () => {
  it('read in UTC alone', () => {
    expect(parseSystemdTime('Thu 1970-01-01 00:01:00 UTC')).toBe(60);
    expect(parseSystemdTime('n/a')).toBe(0);
    expect(parseSystemdTime('')).toBe(0);
    expect(parseSystemdTime('Sat 2026-11-21 15:04:05 CET')).toBe(Number.NaN);
  });
});
