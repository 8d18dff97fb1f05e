// Rules about what a plugin says of itself and about how it takes configurations.

import { isUnimplemented } from '../call-error.ts';
import type { Configuration } from '../connection.ts';
import { Advice, Skipped } from './check-signals.ts';
import type { Checked, Checker } from './checked.ts';

const NO_SUCH = 'no-such-collector';

/** Description, configuration before it is in force, and the methods it claims to serve. */
export async function checkDescription(checker: Checker, checked: Checked): Promise<void> {
  const { connection, description, configuration } = checked;
  await checker.rule('has collectors with names and help', () => {
    const names = description.collectors.map(({ name }) => name ?? '');
    if (names.length === 0) throw new Advice('it has none');
    const bad = names.find((name, i) => name === '' || names.indexOf(name) !== i);
    if (bad !== undefined) throw new Error(`the name "${bad}" is empty or there twice`);
    const helpless = description.collectors.find(({ help }) => !help);
    if (helpless) throw new Advice(`collector ${helpless.name} has no help`);
    return names.join(', ');
  });
  await checker.rule('has a JSON Schema for options and arguments', () => {
    const { collectors, functions } = description;
    for (const { name, optionsSchema } of collectors) checkSchema(name ?? '', optionsSchema ?? '');
    for (const { name, argsSchema } of functions) checkSchema(name ?? '', argsSchema ?? '');
    return '';
  });
  await checker.rule('refuses to collect before it is configured', async () => {
    const answer = await connection.collect(checked.clock.now(), 0, 5_000).catch(() => null);
    if (answer !== null) throw new Error('it answers; it cannot know yet what to collect');
    return '';
  });
  await checker.rule('refuses an unknown collector, and says where it is', () =>
    refusesUnknown(config => connection.configure(config)),
  );
  await checker.rule('refuses options that are no JSON, and says where they are', async () => {
    const [first] = description.collectors;
    if (!first) throw new Skipped('it has no collectors');
    const collectors = [{ name: first.name ?? '', options: '[1' }];
    const [error] = await connection.configure({ collectors });
    if (!error) throw new Error('it takes "[1" for options');
    if (!error.path.startsWith(`collectors.${first.name}`)) {
      throw new Error(`it says the mistake is at "${error.path}"`);
    }
    return `${error.path} ${error.message}`;
  });
  await checker.rule('serves the methods it lists', () => servesFeatures(checked));
  await checker.rule('takes its configuration', async () => {
    const errors = await connection.configure(configuration);
    const [error] = errors;
    if (error) throw new Error(`${error.path} ${error.message}`);
    return '';
  });
  await checker.rule('keeps its configuration when it refuses another', async () => {
    await refusesUnknown(config => connection.configure(config));
    await connection.collect(checked.clock.now(), 0, 10_000);
    return '';
  });
}

async function refusesUnknown(
  ask: (config: Configuration) => Promise<readonly { path: string; message: string }[]>,
): Promise<string> {
  const [error] = await ask({ collectors: [{ name: NO_SUCH }] });
  if (!error) throw new Error('it takes a collector that it does not have');
  if (error.path !== `collectors.${NO_SUCH}`) {
    throw new Error(`it says the mistake is at "${error.path}", not at "collectors.${NO_SUCH}"`);
  }
  return `${error.path} ${error.message}`.slice(0, 160);
}

async function servesFeatures({ connection, description, configuration }: Checked) {
  const { features } = description;
  const signal = AbortSignal.timeout(10_000);
  const limits = { bytesMax: 1024 * 1024, deadlineMs: 5_000, signal };
  const tries: Readonly<Record<string, () => Promise<unknown>>> = {
    validate: () => refusesUnknown(config => connection.validate(config)),
    probe: () => connection.probe(configuration),
    call: () => firstOf(connection.callFunction('no-such-function', '{}', limits)),
    capture: () => firstOf(connection.capture('check', limits)),
  };
  for (const feature of features) {
    const attempt = tries[feature];
    if (!attempt) continue;
    const error = await attempt().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (isUnimplemented(error)) throw new Error(`it lists "${feature}" and answers UNIMPLEMENTED`);
    if (feature === 'call' && error === null) {
      throw new Error('it runs a function that it does not have');
    }
    if (feature === 'validate' && error !== null) throw error;
  }
  return features.join(', ') || 'collecting only';
}

async function firstOf<T>(answers: AsyncGenerator<T>): Promise<void> {
  for await (const _ of answers) return;
}

function checkSchema(name: string, text: string): void {
  if (text === '') throw new Advice(`${name} has none; its options cannot be shown or completed`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw new Error(`that of ${name} is no JSON: ${text.slice(0, 100)}`);
  }
  if (typeof schema !== 'object' || schema === null || !('type' in schema)) {
    throw new Error(`that of ${name} has no type`);
  }
  if (schema.type !== 'object') throw new Error(`that of ${name} is not of type object`);
  const properties = 'properties' in schema ? schema.properties : {};
  for (const [option, value] of Object.entries(properties ?? {})) {
    if (typeof value !== 'object' || value === null) {
      throw new Error(`that of ${name} says nothing of "${option}"`);
    }
  }
}
