// Answers of /api/v1/status/flags and /api/v1/status/runtimeinfo.

import { hostname } from 'node:os';
import type { ApiOptions } from '../httpapi/options.ts';
import type { ProcessContext } from './process.ts';

/** Pages that only the process knows. Flags are shown as they took effect. */
export function runtimeStatus(flags: object, context: ProcessContext): ApiOptions['status'] {
  const shown = Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      kebab(name),
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
  return {
    flags: () => shown,
    runtimeinfo: () => ({
      startTime: new Date(context.startTime).toISOString(),
      serverTime: new Date(context.clock.now()).toISOString(),
      CWD: process.cwd(),
      hostname: hostname(),
      reloadConfigSuccess: true,
      lastConfigTime: new Date(context.startTime).toISOString(),
      nodeVersion: process.version,
    }),
  };
}

/** commander's `collectInterval` back to the flag's `collect-interval`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}
