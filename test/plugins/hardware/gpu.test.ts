// NVIDIA cards asked through nvidia-smi.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { newGpu } from '../../../plugins/hardware/gpu.ts';
import type { RunCommand } from '../../../plugins/sdk/command.ts';
import { hostOf, playBack } from './programs.ts';

const NOW = 1_700_000_000_000;
const root = mkdtempSync(join(tmpdir(), 'outpost-gpu-'));
mkdirSync(join(root, 'driver/nvidia'), { recursive: true });
writeFileSync(join(root, 'driver/nvidia/version'), 'NVRM version: 550\n');
afterAll(() => rmSync(root, { recursive: true }));

const CARD = '0, GPU-1, 00000000:01:00.0, NVIDIA L4, 550.54';
const LABELS =
  'DCGM_FI_DRIVER_VERSION="550.54",UUID="GPU-1",device="nvidia0",gpu="0",modelName="NVIDIA L4",pci_bus_id="00000000:01:00.0"';

const ask = async (run: RunCommand, procfs = root) => {
  const host = hostOf(newGpu(run), { roots: { procfs } });
  const text = await host.collect(NOW);
  host.close();
  const lines = text.split('\n').filter(line => line.startsWith('DCGM'));
  return { lines, failures: host.failures.map(({ message }) => message) };
};

describe('NVIDIA cards', () => {
  it("are exposed under DCGM's names, without what a card cannot tell", async () => {
    const stdout = `${CARD}, 2040, 6250, 51, N/A, 31.72, 97, 40, 0, 0, 20000, 3034, 550, [N/A], 0, 2\n`;
    const { lines, failures } = await ask(playBack({ 'nvidia-smi': { stdout } }));
    expect(failures).toEqual([]);
    expect(lines).toEqual(
      [
        ['DEC_UTIL', 0],
        ['ECC_DBE_VOL_TOTAL', 2],
        ['ECC_SBE_VOL_TOTAL', 0],
        ['ENC_UTIL', 0],
        ['FB_FREE', 20000],
        ['FB_RESERVED', 550],
        ['FB_USED', 3034],
        ['GPU_TEMP', 51],
        ['GPU_UTIL', 97],
        ['MEM_CLOCK', 6250],
        ['MEM_COPY_UTIL', 40],
        ['POWER_USAGE', 31.72],
        ['SM_CLOCK', 2040],
      ].map(([name, value]) => `DCGM_FI_DEV_${name}{${LABELS}} ${value}`),
    );
  });

  it('of an older driver are asked without what it does not know', async () => {
    const old: RunCommand = async (_, args) => {
      const fields = args[0]!.slice('--query-gpu='.length).split(',');
      const unknown = fields.find(field => /coder|reserved/.test(field));
      if (unknown) {
        return {
          code: 2,
          stdout: `Field "${unknown}" is not a valid field to query.\n`,
          stderr: '',
        };
      }
      return {
        code: 0,
        stdout: `${CARD}, ${fields.slice(5).map((_, i) => i)}\n`.replaceAll(/,(?=\d)/g, ', '),
        stderr: '',
      };
    };
    const { lines, failures } = await ask(old);
    expect(failures).toEqual([]);
    expect(lines).toContain(`DCGM_FI_DEV_FB_FREE{${LABELS}} 7`);
    expect(lines.join()).not.toMatch(/FB_RESERVED|ENC_UTIL/);
  });

  it('that nvidia-smi cannot reach are told', async () => {
    const lost = { code: 9, stderr: 'Unable to determine the device handle: GPU is lost.\n' };
    expect((await ask(playBack({ 'nvidia-smi': lost }))).failures).toEqual([
      'nvidia-smi: Unable to determine the device handle: GPU is lost.',
    ]);
  });

  it('are not looked for without a driver', async () => {
    const asked: string[] = [];
    expect(await ask(playBack({}, asked), '/nonexistent')).toEqual({ lines: [], failures: [] });
    expect(asked).toEqual([]);
  });
});
