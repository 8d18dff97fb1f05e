// The example in Go, on the real hashicorp/go-plugin, held to what every plugin must do.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, it } from 'vitest';
import { testPlugin } from '../../acceptance/plugin.ts';

const SOURCE = fileURLToPath(new URL('../../../plugins/examples/go', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'outpost-go-'));
const executable = join(dir, 'processes');
const problem = build();

afterAll(() => rmSync(dir, { recursive: true, force: true }));

if (problem === null) {
  const command = () => ({ command: executable, args: [] });
  testPlugin('Go example', command, { endsWithHost: false, asksHost: true });
} else {
  describe('Go example as a plugin', () => {
    it('is built', context => context.skip(problem));
  });
}

/** Builds the example; a message where the toolchain or the modules are not to be had. */
function build(): string | null {
  try {
    const options = { cwd: SOURCE, stdio: 'pipe', timeout: 180_000 } as const;
    execFileSync('go', ['version'], options);
    try {
      execFileSync('go', ['mod', 'download'], options);
    } catch (error) {
      return `its Go modules cannot be fetched: ${String(error).slice(0, 300)}`;
    }
    execFileSync('go', ['build', '-o', executable, '.'], options);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'go is not installed';
    throw error;
  }
}
