// Chosen kernel parameters, from /proc/sys: numbers as untyped metrics of their name, words as labels.

import { defineCollector } from '../sdk/collector.ts';
import type { PseudoFile } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { text } from '../sdk/options.ts';

interface Parameter {
  readonly name: string;
  readonly file: PseudoFile;
  /** Names for the numbers of a parameter that has several. */
  readonly keys: readonly string[];
}

export const sysctl = defineCollector({
  name: 'sysctl',
  help: 'Chosen kernel parameters.',
  defaultEnabled: false,
  intervalMs: 15_000,
  options: {
    include: text(
      'Parameters that are numbers, between spaces; after a colon, names for several numbers: ' +
        '"kernel.threads-max fs.file-nr:total,current,max".',
      '',
    ),
    includeInfo: text('Parameters that are words, between spaces.', ''),
  },
  open({ files, metrics, options }) {
    const parse = (written: string): readonly Parameter[] =>
      written
        .split(/\s+/)
        .filter(word => word !== '')
        .map(word => {
          const [name = '', keys] = word.split(':');
          const path = name.includes('/') ? name : name.replaceAll('.', '/');
          return { name, file: files.proc(`sys/${path}`), keys: keys?.split(',') ?? [] };
        });
    const numbers = parse(options.include);
    const words = parse(options.includeInfo);
    const info = metrics.gauge({
      name: 'node_sysctl_info',
      help: 'A word of the kernel parameter; always 1.',
      labels: ['name', 'value', 'index'],
    });
    return () => {
      for (const parameter of numbers) reportNumbers(parameter, metrics);
      for (const { name, file } of words) {
        for (const [i, word] of wordsOf(file).entries()) info.with(name, word, String(i)).set(1);
      }
    };
  },
});

function reportNumbers({ name, file, keys }: Parameter, metrics: Metrics): void {
  const metric = `node_sysctl_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
  const help = `Kernel parameter ${name}.`;
  const values = wordsOf(file).map(Number);
  if (values.length === 0 || values.some(Number.isNaN)) {
    throw new Error(`numbers expected in ${file.path}; a parameter of words goes to includeInfo`);
  }
  if (keys.length > 0 && keys.length !== values.length) {
    throw new Error(`${keys.length} names for ${values.length} numbers in ${file.path}`);
  }
  for (const [i, value] of values.entries()) {
    if (keys.length > 0)
      metrics
        .untyped({ name: `${metric}_${keys[i]}`, help })
        .with()
        .set(value);
    else if (values.length === 1) metrics.untyped({ name: metric, help }).with().set(value);
    else
      metrics
        .untyped({ name: metric, help, labels: ['index'] })
        .with(String(i))
        .set(value);
  }
}

function wordsOf(file: PseudoFile): string[] {
  const scanner = file.read();
  const words: string[] = [];
  while (scanner.line()) while (scanner.word()) words.push(scanner.text());
  return words;
}
