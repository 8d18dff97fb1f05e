// Unpacks the plain-text archives ("ttar") in which recorded /sys trees travel: blocks of `Path:` with
// `Lines:` or `SymlinkTo:`, or `Directory:`, each followed by `Mode:`.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Unpacks `archive` below `target`. */
export function unpackTtar(archive: string, target: string): void {
  const lines = readFileSync(archive, 'latin1').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const [, keyword, argument] = /^(Path|Directory): (.*)$/.exec(lines[i]!) ?? [];
    if (keyword === undefined) continue;
    const path = join(target, argument!);
    if (keyword === 'Directory') {
      mkdirSync(path, { recursive: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    const next = lines[i + 1]!;
    if (next.startsWith('SymlinkTo: ')) {
      symlinkSync(next.slice('SymlinkTo: '.length), path);
    } else if (next.startsWith('Lines: ')) {
      const count = Number(next.slice('Lines: '.length));
      writeFileSync(path, content(lines.slice(i + 2, i + 2 + count)), 'latin1');
      i += 1 + count;
    }
  }
}

// Lines end in a newline unless they end in the word EOF; NULLBYTE stands for the byte 0, and a backslash
// before either word means the word itself.
function content(lines: readonly string[]): string {
  const text = lines.map(line => `${line}\n`).join('');
  return text
    .replace(/(?<!\\)NULLBYTE/g, '\0')
    .replace(/(?<!\\)EOF\n/g, '')
    .replace(/\\(NULLBYTE|EOF)/g, '$1');
}
