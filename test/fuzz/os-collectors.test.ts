// Damaged pseudo files: whatever a kernel writes, a collector ends with values, or with an error that says
// what is wrong, and is as it was when the files are whole again.

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { osPlugin } from '../../plugins/os/plugin.ts';
import { parseText } from '../../plugins/os/textfile-parser.ts';
import { FakeHost } from '../../plugins/sdk/fake-host.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';

const FIXTURES = fileURLToPath(new URL('../plugins/os/fixtures', import.meta.url));
const NAMES = readdirSync(FIXTURES);
const NOW = 1_700_000_000_000;
/** Longer than any collector's own interval. */
const STEP = 600_000;

const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(400) }),
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(400), byte: fc.nat(255) }),
  fc.record({
    kind: fc.constant('text' as const),
    at: fc.nat(400),
    text: fc.string({ maxLength: 30 }),
  }),
  fc.record({ kind: fc.constant('empty' as const) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Buffer, how: Damage): Buffer {
  switch (how.kind) {
    case 'cut':
      return bytes.subarray(0, how.at);
    case 'empty':
      return Buffer.alloc(0);
    case 'byte': {
      const copy = Buffer.from(bytes);
      if (how.at < copy.length) copy[how.at] = how.byte;
      return copy;
    }
    case 'text':
      return Buffer.concat([
        bytes.subarray(0, how.at),
        Buffer.from(how.text),
        bytes.subarray(how.at),
      ]);
  }
}

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'expected.txt')
    .map(entry => join(entry.parentPath, entry.name));
}

function hostOf(name: string, tree: string): FakeHost {
  return new FakeHost(osPlugin, {
    roots: {
      procfs: join(tree, 'proc'),
      sysfs: join(tree, 'sys'),
      rootfs: existsSync(join(tree, 'root')) ? join(tree, 'root') : '/',
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
      fc.array(fc.tuple(fc.nat(), damage), { minLength: 1, maxLength: 3 }),
      async (name, damages) => {
        const root = mkdtempSync(join(tmpdir(), 'outpost-fuzz-os-'));
        try {
          cpSync(join(FIXTURES, name), root, { recursive: true });
          const fresh = hostOf(name, root);
          const whole = (await fresh.collect(NOW + 2 * STEP)).match(/^\w+/gm);
          fresh.close();
          const host = hostOf(name, root);
          const all = files(root);
          const before = new Map(all.map(path => [path, readFileSync(path)] as const));
          await host.collect(NOW);
          for (const [index, how] of damages) {
            const path = all[index % all.length]!;
            writeFileSync(path, damaged(before.get(path)!, how));
          }
          await host.collect(NOW + STEP);
          for (const { message } of host.failures)
            expect(message).not.toMatch(/undefined|\[object/);
          for (const [path, bytes] of before) writeFileSync(path, bytes);
          expect((await host.collect(NOW + 2 * STEP)).match(/^\w+/gm)).toEqual(whole);
          host.close();
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);

test('any text is read as lines that are right and lines that are wrong', () => {
  const part = fc.constantFrom(
    'a',
    '_b',
    '{',
    '}',
    '"',
    '\\',
    '=',
    ',',
    ' ',
    '1',
    'NaN',
    '# TYPE',
    'x',
    '\n',
    'é',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), parts => {
      const text = parts.join('');
      const { families, wrong } = parseText(text);
      const samples = [...families.values()].reduce((sum, { samples: own }) => sum + own.length, 0);
      const lines = text.split('\n').filter(line => line.trim() !== '' && line.trim()[0] !== '#');
      expect(samples + wrong).toBe(lines.length);
    }),
    { numRuns: 2000 },
  );
});
