// Rules about what a plugin collects: what the host would refuse, what would not be stored as it is meant,
// and how it behaves when answers are lost or requests are damaged.

import { Advice, Skipped } from './check-signals.ts';
import { CheckSink } from './check-sink.ts';
import type { Checked, Checker } from './checked.ts';

const COLLECT_MS = 10_000;

/** False where nothing could be collected. */
export async function checkCollections(checker: Checker, checked: Checked): Promise<boolean> {
  const { connection, description, configuration, sink, clock } = checked;
  let seq = 0;
  const collect = async (into: CheckSink, known: number): Promise<number> => {
    const time = clock.now();
    await into.take(await connection.collect(time, known, COLLECT_MS), time);
    return into.batch.definitionSeq;
  };
  const collects = await checker.rule('collects what the host can store', async () => {
    seq = await collect(sink, 0);
    const [drop] = sink.drops.values();
    if (drop !== undefined) throw new Error(`the host drops ${drop}`);
    const count = sink.values.size;
    if (count === 0) throw new Advice('it has no samples; is there anything here for it?');
    return `${count} samples, families: ${sink.families.size}`;
  });
  if (!collects && sink.families.size === 0) return false;
  const first = sink.values;
  await checker.rule('names its metrics as the field does', () => conventions(checked));
  await checker.rule('reports no collector that fails', () => {
    const [failure] = sink.batch.failures;
    if (failure) throw new Advice(`${failure.collector}: ${failure.message}`);
    return '';
  });
  await checker.rule('keeps its numbers: a second answer defines nothing anew', async () => {
    const { length } = sink.names;
    const next = await collect(sink, seq);
    if (next < seq) throw new Error(`definition_seq falls from ${seq} to ${next}`);
    const [drop] = sink.drops.values();
    if (drop !== undefined) throw new Error(`the host drops ${drop}`);
    if (sink.batch.series.length > length / 2 + 1) {
      throw new Error(`${sink.batch.series.length} of ${length} series are defined again`);
    }
    seq = next;
    return `${sink.batch.series.length} new series`;
  });
  await checker.rule('has counters that do not fall', () => {
    for (const [id, name] of sink.names.entries()) {
      if (sink.families.get(sink.familyOf[id]!)?.type !== 'counter') continue;
      const [before, after] = [first.get(name), sink.values.get(name)];
      if (before !== undefined && after !== undefined && after < before) {
        throw new Error(`${name} falls from ${before} to ${after}`);
      }
    }
    return '';
  });
  await checker.rule('defines everything again for a host that lost it', async () => {
    const forgetful = new CheckSink(description.name);
    await collect(forgetful, 0);
    const [drop] = forgetful.drops.values();
    if (drop !== undefined) throw new Error(`the host drops ${drop}`);
    return '';
  });
  await checker.rule('ends the series of collectors that are switched off', async () => {
    const off = description.collectors.map(({ name }) => ({ name: name ?? '', enabled: false }));
    if (off.length === 0) throw new Skipped('it has no collectors');
    const [error] = await connection.configure({ collectors: off });
    if (error) throw new Error(`${error.path} ${error.message}`);
    await collect(sink, seq);
    const left = sink.values.size;
    await connection.configure(configuration);
    if (left > 0) throw new Error(`${left} samples come although nothing is switched on`);
    seq = await collect(sink, seq);
    return '';
  });
  await checker.rule('goes on after damaged requests and calls given up', async () => {
    await connection.collect(-1, Number.MAX_SAFE_INTEGER, 1).catch(() => {});
    await connection.configure({ collectors: [{ name: '\u0000', options: '{' }] });
    if (!(await connection.serves())) throw new Error('its health says it does not serve');
    const again = new CheckSink(description.name);
    await collect(again, 0);
    return '';
  });
  return sink.values.size > 0;
}

function conventions({ sink, description }: Checked): string {
  const collectors = new Set(description.collectors.map(({ name }) => name));
  for (const { name, type, help, unit, collector } of sink.families.values()) {
    if (!collectors.has(collector)) {
      throw new Error(`${name} is said to come from "${collector}", which is no collector`);
    }
    if (type === 'counter' && !name.endsWith('_total')) {
      throw new Advice(`${name} is a counter; its name should end in _total`);
    }
    if (type === 'gauge' && name.endsWith('_total')) {
      throw new Advice(`${name} is a gauge; its name should not end in _total`);
    }
    if (help === '') throw new Advice(`${name} has no help`);
    if (unit !== '' && !name.replace(/_total$/, '').endsWith(`_${unit}`)) {
      throw new Advice(`${name} has the unit ${unit}, its name should end in it`);
    }
  }
  return '';
}
