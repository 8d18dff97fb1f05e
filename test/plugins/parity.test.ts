// How much of node_exporter's metrics the built-in collectors have, over the tree it tests itself with.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exposeRecorded } from '../parity/recorded.ts';
import { scoreRecorded } from '../parity/scores.ts';

const CORPUS = fileURLToPath(new URL('../../../shared/corpora/node-exporter', import.meta.url));

describe.skipIf(!existsSync(CORPUS))(
  'the built-in collectors (skipped where ../shared/corpora/node-exporter is absent)',
  () => {
    it('have every family of the default collectors, and every name dashboards and alerts ask for', async () => {
      const recorded = readFileSync(join(CORPUS, 'e2e-output.txt'), 'utf8');
      const scores = scoreRecorded(await exposeRecorded(CORPUS), recorded);
      expect(scores.flatMap(({ missing }) => missing)).toEqual([]);
      expect(scores.map(({ wanted }) => wanted)).toEqual([950, 318, 224, 45]);
    });
  },
);
