// The example in Python, on grpcio, held to what every plugin must do.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, it } from 'vitest';
import { testPlugin } from '../../acceptance/plugin.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Any Python with grpcio, grpcio-tools and grpcio-health-checking. */
const PYTHON = process.env['OUTPOST_TEST_PYTHON'] ?? 'python3';
const dir = mkdtempSync(join(tmpdir(), 'outpost-py-'));
const problem = generate();

afterAll(() => rmSync(dir, { recursive: true, force: true }));

if (problem === null) {
  const main = join(ROOT, 'plugins/examples/python/main.py');
  const command = () => ({ command: 'env', args: [`PYTHONPATH=${dir}`, PYTHON, main] });
  testPlugin('Python example', command, { endsWithHost: false });
} else {
  describe('Python example as a plugin', () => {
    it('starts', context => context.skip(problem));
  });
}

/** Makes the modules that the example imports; a message where Python or grpcio are not there. */
function generate(): string | null {
  const options = { stdio: 'pipe', timeout: 60_000, env: process.env } as const;
  try {
    execFileSync(PYTHON, ['-c', 'import grpc_tools, grpc_health.v1'], options);
  } catch {
    return `${PYTHON} has no grpcio, grpcio-tools or grpcio-health-checking; OUTPOST_TEST_PYTHON names another`;
  }
  const protos = ['outpost/plugin/v1', 'plugin'].map(path => join(ROOT, 'proto', path));
  const files = ['plugin.proto', 'grpc_controller.proto'];
  const out = [`--python_out=${dir}`, `--grpc_python_out=${dir}`];
  const includes = protos.flatMap(path => ['-I', path]);
  execFileSync(PYTHON, ['-m', 'grpc_tools.protoc', ...includes, ...out, ...files], options);
  return null;
}
