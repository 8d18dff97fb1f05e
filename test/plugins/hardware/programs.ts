// Programs that collectors ask, played back: what each prints by its command line.

import { hardwarePlugin } from '../../../plugins/hardware/plugin.ts';
import { type Collector, NoDataError } from '../../../plugins/sdk/collector.ts';
import type { CommandResult, RunCommand } from '../../../plugins/sdk/command.ts';
import { FakeHost, type FakeHostOptions } from '../../../plugins/sdk/fake-host.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';
import type { Clock } from '../../../src/lifecycle/clock.ts';

/** A clock on which every wait is over at once. */
export const HASTY: Clock = {
  now: () => 1_700_000_000_000,
  monotonic: () => 0,
  after(_, fire) {
    const handle = setImmediate(fire);
    return () => clearImmediate(handle);
  },
};

/** Answers by the beginning of the command line, the longest first. */
export type Answers = Readonly<Record<string, Partial<CommandResult> | Error>>;

/** Runs nothing: answers from `answers`, and notes every command line in `asked`. Others are absent. */
export function playBack(answers: Answers, asked: string[] = []): RunCommand {
  return async (program, args) => {
    const line = [program, ...args].join(' ');
    asked.push(line);
    const [, answer] =
      Object.entries(answers)
        .sort(([a], [b]) => b.length - a.length)
        .find(
          ([start]) =>
            line.startsWith(start) || (start.startsWith('…') && line.endsWith(start.slice(1))),
        ) ?? [];
    if (answer === undefined) throw new NoDataError(`${program} is not installed`);
    if (answer instanceof Error) throw answer;
    return { code: 0, stdout: '', stderr: '', ...answer };
  };
}

/** A host that runs this collector alone. */
export function hostOf(collector: Collector, options: FakeHostOptions = {}): FakeHost {
  const plugin = definePlugin({ ...hardwarePlugin, collectors: [collector] });
  return new FakeHost(plugin, {
    clock: HASTY,
    ...options,
    roots: { sysfs: '/nonexistent', ...options.roots },
    collectors: { [collector.name]: { enabled: true }, ...options.collectors },
  });
}
