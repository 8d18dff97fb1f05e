// What collectors that ask programs say of why there is nothing for them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { newGpu } from '../../../plugins/hardware/gpu.ts';
import { newIpmi } from '../../../plugins/hardware/ipmi.ts';
import { hardwarePlugin } from '../../../plugins/hardware/plugin.ts';
import { newSmart } from '../../../plugins/hardware/smart.ts';
import type { RunCommand } from '../../../plugins/sdk/command.ts';
import { definePlugin, PluginRuntime } from '../../../plugins/sdk/runtime.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { HASTY, playBack } from './programs.ts';

const root = mkdtempSync(join(tmpdir(), 'outpost-probes-'));
afterAll(() => rmSync(root, { recursive: true }));

async function probe(run: RunCommand): Promise<Record<string, string>> {
  const collectors = [newGpu(run), newIpmi(run), newSmart(run)];
  const plugin = definePlugin({ ...hardwarePlugin, collectors });
  // A clock on which no deadline passes.
  const clock = { ...HASTY, after: () => () => {} };
  const runtime = new PluginRuntime(plugin, { clock, logger: silentLogger });
  const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root, udev: root };
  const probes = await runtime.probe({ roots, collectors: {} });
  runtime.close();
  return Object.fromEntries(
    probes.map(({ name, found }) => [name, `${found.outcome}: ${found.message ?? ''}`]),
  );
}

it('names what is missing, hardware before programs', async () => {
  expect(await probe(playBack({}))).toEqual({
    gpu: 'not-applicable: no NVIDIA driver is loaded',
    ipmi: 'not-applicable: no management controller: /sys/class/ipmi is empty',
    smart: 'not-applicable: smartctl is not installed',
  });
  mkdirSync(join(root, 'proc/driver/nvidia'), { recursive: true });
  writeFileSync(join(root, 'proc/driver/nvidia/version'), '1\n');
  mkdirSync(join(root, 'sys/class/ipmi/ipmi0'), { recursive: true });
  expect(await probe(playBack({ 'smartctl --json --scan': { stdout: '{}' } }))).toEqual({
    gpu: 'not-applicable: nvidia-smi is not installed',
    ipmi: 'not-applicable: ipmimonitoring is not installed',
    smart: 'not-applicable: smartctl knows no disk it could ask',
  });
  const all = {
    'nvidia-smi': {},
    ipmimonitoring: {},
    smartctl: { stdout: '{"devices":[{"name":"/dev/sda","type":"sat"}]}' },
  };
  expect(await probe(playBack(all))).toEqual({ gpu: 'ok: ', ipmi: 'ok: ', smart: 'ok: disks: 1' });
});
