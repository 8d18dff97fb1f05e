// A stream of bytes as pieces of text that end where a line ends, each checked to be UTF-8. A line that is
// not becomes an empty one and is told, so that line numbers stay right.

import { isUtf8 } from 'node:buffer';
import { OutpostError } from '../../../lifecycle/errors.ts';

const LINE_BYTES_MAX = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Whole lines. */
export interface TextPiece {
  readonly text: string;
  /** Lines of the pieces before. */
  readonly linesBefore: number;
}

/** Cuts the stream; `onBytes` is told the bytes read so far, `refuse` of lines that are not UTF-8. */
export async function* textPieces(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
  refuse: (line: number, reason: string) => void,
): AsyncGenerator<TextPiece> {
  let rest: Uint8Array = new Uint8Array(0);
  let linesBefore = 0;
  let bytes = 0;
  const piece = (lines: Uint8Array): TextPiece => {
    const out = { text: decode(lines, linesBefore, refuse), linesBefore };
    linesBefore += countLines(lines);
    return out;
  };
  for await (const chunk of source) {
    bytes += chunk.length;
    onBytes(bytes);
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      rest = Buffer.concat([rest, chunk]);
      if (rest.length > LINE_BYTES_MAX) {
        throw new OutpostError('limit-exceeded', `line ${linesBefore + 1} is longer than 16 MiB`);
      }
      continue;
    }
    yield piece(Buffer.concat([rest, chunk.subarray(0, end)]));
    rest = Buffer.from(chunk.subarray(end));
  }
  if (rest.length > 0) yield piece(rest);
}

function decode(
  bytes: Uint8Array,
  linesBefore: number,
  refuse: (line: number, reason: string) => void,
): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const lines: string[] = [];
  let from = 0;
  while (from <= bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(from, to);
    if (isUtf8(line)) lines.push(Buffer.from(line).toString());
    else {
      refuse(linesBefore + lines.length + 1, 'the line is not valid UTF-8');
      lines.push('');
    }
    from = to + 1;
  }
  return lines.join('\n');
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
