// The findings of a check as a person reads them: a line for each rule when it is done, the cost, a verdict.

import type { CheckReport, Cost, Finding } from '../../../plugins/host/check/check-report.ts';
import { formatSize } from '../../encoding/units.ts';

const MARKS = { pass: '✓', fail: '✗', advice: '!', skipped: '–' } as const;
const GREEN = 32;
const RED = 31;
const YELLOW = 33;
const DIM = 2;
const COLORS = { pass: GREEN, fail: RED, advice: YELLOW, skipped: DIM } as const;
const RULE_WIDTH = 58;
const DETAIL_LENGTH_MAX = 300;
const SEEN_LENGTH_MAX = 90;

/** Prints a check while it runs. */
export class CheckPrinter {
  readonly #write: (text: string) => void;
  readonly #colors: boolean;

  constructor(write: (text: string) => void, colors: boolean) {
    this.#write = write;
    this.#colors = colors;
  }

  /** A rule has been looked at. */
  finding({ rule, outcome, detail }: Finding): void {
    const mark = this.#paint(MARKS[outcome], COLORS[outcome]);
    const isGood = outcome === 'pass';
    const text = cut(detail.replace(/\s+/g, ' '), isGood ? SEEN_LENGTH_MAX : DETAIL_LENGTH_MAX);
    if (text === '') this.#write(`  ${mark} ${rule}\n`);
    else if (isGood)
      this.#write(`  ${mark} ${rule.padEnd(RULE_WIDTH)} ${this.#paint(text, DIM)}\n`);
    else this.#write(`  ${mark} ${rule}\n      ${this.#paint(text, COLORS[outcome])}\n`);
  }

  /** All is done. */
  end(report: CheckReport): void {
    if (report.cost) this.#cost(report.cost);
    const count = (outcome: Finding['outcome']): number =>
      report.findings.filter(finding => finding.outcome === outcome).length;
    const [kept, broken, advice] = [count('pass'), count('fail'), count('advice')];
    const name = `${report.name || 'the plugin'} ${report.version}`.trim();
    const verdict =
      broken === 0
        ? this.#paint(`${name} keeps the rules`, GREEN)
        : this.#paint(`${name} breaks ${plural(broken, 'rule')}`, RED);
    const more = advice === 0 ? '' : `, ${plural(advice, 'piece')} of advice`;
    this.#write(`\n${verdict}: ${plural(kept, 'rule')} kept${more}\n`);
  }

  #cost(cost: Cost): void {
    const { startMs, collections, cpuMs, wallMs, wallMsMax, series, families } = cost;
    const rows: readonly (readonly [string, string])[] = [
      ['series', `${series} of ${plural(families, 'family', 'families')}`],
      ['CPU', `${cpuMs.toFixed(2)} ms a collection`],
      ['time', `${wallMs.toFixed(2)} ms a collection, ${wallMsMax.toFixed(2)} ms at worst`],
      [
        'answer',
        `${formatSize(cost.steadyBytes)}, the first with all definitions ${formatSize(cost.firstBytes)}`,
      ],
      ['memory', formatSize(cost.memoryBytes)],
      ['start', `${Math.round(startMs)} ms`],
    ];
    this.#write(`\n  Cost, over ${plural(collections, 'collection')}\n`);
    for (const [what, text] of rows) this.#write(`    ${what.padEnd(8)} ${text}\n`);
  }

  #paint(text: string, color: number): string {
    return this.#colors ? `\u001b[${color}m${text}\u001b[0m` : text;
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
