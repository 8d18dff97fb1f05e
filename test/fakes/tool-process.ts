// Runs `outpost tools tsdb` as a process of its own.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The executable. */
export const TOOL_MAIN = fileURLToPath(new URL('./tool-main.ts', import.meta.url));

/** What a tool wrote and how it ended. */
export interface ToolRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `outpost tools tsdb` with the arguments. */
export function tsdbTool(args: readonly string[], input?: string): ToolRun {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [TOOL_MAIN, 'tools', 'tsdb', ...args],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      ...(input !== undefined && { input }),
    },
  );
  return { status, stdout, stderr };
}
