// The success envelope of the API.

const ANNOTATIONS_MAX = 10;

/** What stands before the data. */
export const ENVELOPE_HEAD = '{"status":"success","data":';

/** What stands after the data: at most ten warnings and ten infos, and where there are more, how many. */
export function envelopeTail(warnings: readonly string[], infos: readonly string[]): string {
  return `${list('warning', warnings)}${list('info', infos)}}`;
}

function list(kind: 'warning' | 'info', sentences: readonly string[]): string {
  if (sentences.length === 0) return '';
  const shown = sentences.slice(0, ANNOTATIONS_MAX);
  const hidden = sentences.length - shown.length;
  if (hidden > 0) shown.push(`${hidden} more ${kind} annotations omitted`);
  return `,"${kind}s":${JSON.stringify(shown)}`;
}
