// Holds a plugin to the protocol, one rule after the other, each with what was seen; then measures what it
// costs. Nothing of the plugin's is changed; processes it starts are its own.

import type { Clock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { newIdentity } from '../../sdk/certificate.ts';
import type { Configuration, Description } from '../connection.ts';
import type { CheckReport, Cost, Finding } from './check-report.ts';
import { Advice, Skipped } from './check-signals.ts';
import { CheckSink } from './check-sink.ts';
import type { Checker } from './checked.ts';
import { type CheckedCommand, CheckedProcess, type StartOptions } from './checked-process.ts';
import { checkCollections } from './collection-rules.ts';
import { measureCost } from './cost.ts';
import { checkDescription } from './description-rules.ts';
import { checkEnding, checkLifeline, checkNakedStart } from './process-rules.ts';

export interface CheckOptions {
  readonly clock: Clock;
  readonly fillRandom: (bytes: Uint8Array) => void;
  /** A directory of this check alone. */
  readonly socketDir: string;
  /** What the plugin is configured with; its defaults where absent. */
  readonly configuration?: Configuration;
  readonly env?: Readonly<Record<string, string>>;
  /** Collections whose cost is measured. */
  readonly collections: number;
  /** Told of each finding when it is made. */
  readonly onFinding?: (finding: Finding) => void;
  /** Told when the plugin has said what it is. */
  readonly onDescribed?: (description: Description) => void;
}

/** Checks the plugin. Never rejects; what goes wrong is a finding. */
export async function checkPlugin(
  command: CheckedCommand,
  options: CheckOptions,
): Promise<CheckReport> {
  const { clock, fillRandom, configuration = {} } = options;
  const findings: Finding[] = [];
  const checker = newChecker(finding => {
    findings.push(finding);
    options.onFinding?.(finding);
  });
  const processes: CheckedProcess[] = [];
  const start = (more: Partial<StartOptions> = {}): CheckedProcess => {
    const { socketDir, env } = options;
    const started = new CheckedProcess(command, { clock, socketDir, ...(env && { env }), ...more });
    processes.push(started);
    return started;
  };
  const report = { name: '', version: '', cost: null as Cost | null };
  try {
    await checkNakedStart(checker, start);
    const identity = newIdentity({ now: clock.now(), fillRandom });
    const tls = start({ identity });
    const speaksTls = await checker.rule('speaks mutual TLS (AutoMTLS)', () => trySecure(tls));
    const process = speaksTls ? tls : start();
    const description = await introduce(checker, process);
    if (description !== null) {
      report.name = description.name;
      report.version = description.version;
      options.onDescribed?.(description);
      const connection = await process.connect();
      const sink = new CheckSink(description.name);
      const checked = { process, connection, description, configuration, sink, clock };
      await checkDescription(checker, checked);
      const collects = await checkCollections(checker, checked);
      if (collects) report.cost = await measureCost(checked, options.collections);
      await checkEnding(checker, checked);
      await checkLifeline(checker, start);
    }
  } finally {
    for (const started of processes) await started.kill();
  }
  return { ...report, findings };
}

function newChecker(report: (finding: Finding) => void): Checker {
  return {
    async rule(rule, check) {
      try {
        report({ rule, outcome: 'pass', detail: await check() });
        return true;
      } catch (error) {
        const detail = error instanceof OutpostError ? error.message : String(error);
        if (error instanceof Advice) {
          report({ rule, outcome: 'advice', detail: error.message });
        } else if (error instanceof Skipped) {
          report({ rule, outcome: 'skipped', detail: error.message });
        } else report({ rule, outcome: 'fail', detail: detail.replace(/^Error: /, '') });
        return false;
      }
    },
  };
}

async function trySecure(process: CheckedProcess): Promise<string> {
  const { certificate } = await process.handshake().catch(error => {
    throw new Advice(`${OutpostError.from(error).message}; set auto_mtls: false for it`);
  });
  if (certificate === '') {
    throw new Advice('it answers without a certificate; set auto_mtls: false for it');
  }
  await (await process.connect()).serves();
  return 'each side knows the other by its certificate';
}

async function introduce(checker: Checker, process: CheckedProcess): Promise<Description | null> {
  let description: Description | null = null;
  const shakes = await checker.rule('prints its handshake first', async () => {
    const { network } = await process.handshake();
    return `after ${Math.round(process.startMs)} ms, ${network} socket`;
  });
  if (!shakes) return null;
  await checker.rule('answers for its health', async () => {
    const connection = await process.connect();
    if (!(await connection.serves()))
      throw new Error('grpc.health.v1 says "plugin" does not serve');
    return 'serving';
  });
  await checker.rule('describes itself', async () => {
    description = await (await process.connect()).describe();
    if (description.name === '') throw new Error('its description has no name');
    if (description.version === '') throw new Error('its description has no version');
    return `${description.name} ${description.version}`;
  });
  return description;
}
