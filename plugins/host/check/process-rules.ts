// Rules about a plugin as a process: how it begins when nobody is its host, and how it ends.

import { Advice } from './check-signals.ts';
import type { Checked, Checker } from './checked.ts';
import type { CheckedProcess, StartOptions } from './checked-process.ts';

/** How long a plugin has to end. */
const END_MS = 2_000;

type Start = (options?: Partial<StartOptions>) => CheckedProcess;

/** Started by hand, it says what it is and ends. */
export async function checkNakedStart(checker: Checker, start: Start): Promise<void> {
  await checker.rule('tells whoever starts it by hand what it is', async () => {
    const process = start({ cookie: false });
    const exit = await process.exitWithin(10_000);
    if (exit === null) {
      throw new Error('it runs on: it has to look for OUTPOST_PLUGIN before anything else');
    }
    if (exit.code === 0) throw new Error('it ends with exit code 0 as if all were well');
    if (process.stdout !== '')
      throw new Error('it prints on stdout, which belongs to the handshake');
    if (process.stderr.trim() === '') throw new Error('it ends without a word on stderr');
    return process.stderr.trim().split('\n')[0]!.slice(0, 120);
  });
}

/** What it prints, what it ignores, and how it ends. */
export async function checkEnding(
  checker: Checker,
  { process, connection }: Checked,
): Promise<void> {
  await checker.rule('prints nothing but its handshake on stdout', () => {
    const rest = process.stdout.slice(process.stdout.indexOf('\n') + 1).trim();
    if (rest !== '') throw new Error(`it prints: ${rest.slice(0, 200)}`);
    return '';
  });
  await checker.rule('outlives Ctrl-C in the host’s terminal', async () => {
    process.child.kill('SIGINT');
    await connection.serves();
    await process.until(() => process.exit !== null, 100);
    if (process.exit !== null) throw new Error('it ends on SIGINT; the host decides when it ends');
    return '';
  });
  await checker.rule('ends within two seconds when it is asked to', async () => {
    await connection.shutdown(END_MS);
    const exit = await process.exitWithin(END_MS);
    if (exit === null) throw new Error('it still runs; the host would kill it');
    if (exit.code !== 0) throw new Error(`it ends with ${exit.signal ?? `exit code ${exit.code}`}`);
    return '';
  });
  await checker.rule('takes its socket with it', async () => {
    if (await process.leavesSocket()) throw new Advice('its socket stays; the host removes it');
    return '';
  });
}

/** Without a host it does not live on. */
export async function checkLifeline(checker: Checker, start: Start): Promise<void> {
  await checker.rule('ends when its host is gone', async () => {
    const process = start({ lifeline: true });
    await process.handshake();
    process.child.stdin!.end();
    if ((await process.exitWithin(END_MS)) === null) {
      throw new Advice(
        'it lives on after the end of its stdin, which OUTPOST_PLUGIN_LIFELINE=stdin announces',
      );
    }
    return '';
  });
}
