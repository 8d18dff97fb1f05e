// Damaged files of devices, and programs that print anything: a collector ends with values or with an error
// that says what is wrong, and is as it was when the files are whole again.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsOf } from '../../plugins/hardware/inventory-facts.ts';
import {
  parseBmc,
  parseChassis,
  parseDcmi,
  parseSel,
  parseSensors,
  parseWatchdog,
} from '../../plugins/hardware/ipmi-report.ts';
import { smartFromNvme } from '../../plugins/hardware/nvme-report.ts';
import { hardwarePlugin } from '../../plugins/hardware/plugin.ts';
import { readSmartctl } from '../../plugins/hardware/smart.ts';
import { smartSamples } from '../../plugins/hardware/smart-report.ts';
import { FakeHost } from '../../plugins/sdk/fake-host.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';

const FIXTURES = fileURLToPath(new URL('../plugins/hardware/fixtures', import.meta.url));
const NAMES = readdirSync(FIXTURES);
const NOW = 1_700_000_000_000;
/** After this long devices are found anew. */
const STEP = 600_000;

const content = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  fc.bigInt().map(value => `${value}\n`),
  fc.constantFrom('0xffffffffffffffffffffffff\n', '-\n', '1 2 3\n', '18446744073709551616\n'),
);

function hostOf(name: string, tree: string): FakeHost {
  return new FakeHost(hardwarePlugin, {
    roots: {
      procfs: join(tree, 'proc'),
      sysfs: join(tree, 'sys'),
      rootfs: join(tree, 'root'),
      udev: join(tree, 'udev'),
    },
    only: [name],
    clock: new ManualClock(NOW),
  });
}

test('a damaged file ends no collector, and a whole one mends it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...NAMES),
      fc.array(fc.tuple(fc.nat(), content), { minLength: 1, maxLength: 4 }),
      async (name, damages) => {
        const root = mkdtempSync(join(tmpdir(), 'outpost-fuzz-hardware-'));
        const host = hostOf(name, root);
        try {
          cpSync(join(FIXTURES, name), root, { recursive: true });
          const all = readdirSync(root, { recursive: true, withFileTypes: true })
            .filter(entry => entry.isFile() && entry.name !== 'expected.txt')
            .map(entry => join(entry.parentPath, entry.name));
          const before = new Map(all.map(path => [path, readFileSync(path)] as const));
          const whole = await host.collect(NOW);
          for (const [index, text] of damages) writeFileSync(all[index % all.length]!, text);
          await host.collect(NOW + STEP);
          await host.collect(NOW + STEP + 15_000);
          for (const { message } of host.failures) {
            expect(message).not.toMatch(/undefined|\[object/);
          }
          for (const [path, bytes] of before) writeFileSync(path, bytes);
          expect(await host.collect(NOW + 2 * STEP)).toBe(whole);
        } finally {
          host.close();
          rmSync(root, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);

test('any JSON of smartctl and nvme is read or refused, and brings numbers', () => {
  const keys = fc.constantFrom(
    ...['device', 'smartctl', 'temperature', 'ata_smart_attributes', 'table', 'raw', 'value'],
    ...['ata_smart_error_log', 'nvme_smart_health_information_log', 'power_on_time', 'messages'],
    ...['ata_device_statistics', 'pages', 'name', 'string', 'flags', 'current', 'interface_speed'],
  );
  const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, '', 'x', '7', 1, -1, 1e300),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 8 }),
    ),
  }));
  const identity = { path: '/dev/nvme0', model: '', serial: '', firmware: '' };
  fc.assert(
    fc.property(tree, value => {
      const stdout = JSON.stringify(value);
      const answer = readSmartctl({ code: 0, stdout, stderr: '' });
      const reports = [
        ...('report' in answer ? [answer.report] : []),
        smartFromNvme(stdout, identity) ?? {},
      ];
      for (const { family, labels, value: number } of reports.flatMap(smartSamples)) {
        expect(number).not.toBeNaN();
        expect(labels).toHaveLength(family.labels.length + 1);
        for (const label of labels) expect(label).toBeTypeOf('string');
      }
      partsOf(value);
    }),
    { numRuns: 1500 },
  );
});

test('any text of freeipmi is read as numbers', () => {
  const word = fc.constantFrom(
    ...['4', 'CPU', 'Fan', 'Nominal', '41.0', '%', 'C', ',', ':', '\n', 'N/A', ' ', 'Timer'],
    ...['System Power', 'on', 'Current Power', 'Power Measurement', 'Active', 'Firmware Revision'],
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), words => {
      const text = words.join('');
      const readers = [parseSensors, parseDcmi, parseChassis, parseSel, parseBmc, parseWatchdog];
      for (const { name, value } of readers.flatMap(read => read(text))) {
        expect(name).toMatch(/^ipmi_[a-z_]+$/);
        expect(value).not.toBeNaN();
      }
    }),
    { numRuns: 1500 },
  );
});
