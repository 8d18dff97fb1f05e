// One series in exposition notation: `name{a="b",}`, `{"my.metric","a.b"="c"}` or a bare name.

import { Labels, METRIC_NAME } from '../labels/labels.ts';
import { isLegacyLabelName, isLegacyMetricName } from '../labels/validate.ts';

const TOKEN = /[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s"=,{}]+)|([=,}]))[ \t]*/y;

/** The label set with the metric's name, or the sentence that says what is wrong with the text. */
export function parseSeriesText(text: string): Labels | string {
  const brace = text.indexOf('{');
  const name = (brace < 0 ? text : text.slice(0, brace)).trimEnd();
  if (name !== '' && !isLegacyMetricName(name)) {
    return `metric name ${JSON.stringify(name)} is not valid without quotes`;
  }
  const pairs = new Map<string, string>();
  if (name !== '') pairs.set(METRIC_NAME, name);
  const problem = brace < 0 ? null : parseBraces(text, brace + 1, pairs);
  return problem ?? Labels.fromPairs(pairs);
}

type Token = { readonly quoted: boolean; readonly text: string } | null;

function parseBraces(text: string, start: number, pairs: Map<string, string>): string | null {
  TOKEN.lastIndex = start;
  const token = (): Token => {
    const match = TOKEN.exec(text);
    if (!match) return null;
    const quoted = match[1] !== undefined;
    return { quoted, text: quoted ? unescapeValue(match[1]!) : (match[2] ?? match[3]!) };
  };
  for (let name = token(); ; name = token()) {
    if (name === null) return `label set ${JSON.stringify(text)} is malformed`;
    if (isMark(name, '}')) return null;
    if (isMark(name, ',') || isMark(name, '=')) return `a label name is missing in ${text}`;
    let after = token();
    const isMetric = !isMark(after, '=');
    if (isMetric && !name.quoted) return `label "${name.text}" has no value`;
    const label = isMetric ? METRIC_NAME : name.text;
    if (!name.quoted && !isLegacyLabelName(label)) {
      return `label name ${JSON.stringify(label)} is not valid without quotes`;
    }
    if (pairs.has(label)) return `label "${label}" occurs twice`;
    const value = isMetric ? name : token();
    if (!value?.quoted) return `the value of label "${label}" is not in quotes`;
    pairs.set(label, value.text);
    if (!isMetric) after = token();
    if (isMark(after, '}')) return null;
    if (!isMark(after, ',')) return `a comma or brace is missing after label "${label}"`;
  }
}

function isMark(token: Token, mark: string): boolean {
  return token !== null && !token.quoted && token.text === mark;
}

function unescapeValue(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw.replace(/\\[\\n"]/g, pair => (pair === '\\n' ? '\n' : pair.slice(1)));
}
