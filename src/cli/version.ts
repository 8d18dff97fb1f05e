// What this build is called.

import { readFileSync } from 'node:fs';
import type { BuildInfo } from '../httpapi/options.ts';

/** The query API that clients find here; Grafana decides by it which requests it may send. */
const API_VERSION = '3.0.0';

/** The version in package.json, which lies at the root of sources and two levels above `dist/src/cli`. */
export function packageVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (name === 'outpost') return version;
    } catch {
      // the other place has it
    }
  }
  return 'unknown';
}

/** For `/api/v1/status/buildinfo`. */
export function buildInfo(version: string): BuildInfo {
  return {
    version: API_VERSION,
    revision: `outpost-${version}`,
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: process.version,
  };
}
