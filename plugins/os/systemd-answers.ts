// Reads what systemctl prints: the list of units, and blocks of properties.

/** A unit as `systemctl list-units --plain --no-legend` has it. */
export interface Unit {
  readonly name: string;
  readonly load: string;
  readonly active: string;
}

/** Lines of name, load state, active state, sub state and description. */
export function parseUnits(answer: string): readonly Unit[] {
  const units: Unit[] = [];
  for (const line of answer.split('\n')) {
    const [name, load, active] = line.trim().split(/\s+/, 3);
    if (active !== undefined) units.push({ name: name!, load: load!, active });
  }
  return units;
}

/** Blocks of name=value with an empty line between them, as `systemctl show` prints them. */
export function parseProperties(answer: string): readonly ReadonlyMap<string, string>[] {
  return answer
    .split(/\n\s*\n/)
    .filter(block => block.trim() !== '')
    .map(
      block =>
        new Map(
          block
            .trim()
            .split('\n')
            .map(line => {
              const equals = line.indexOf('=');
              return [line.slice(0, equals), line.slice(equals + 1)] as const;
            }),
        ),
    );
}

/** "Sat 2026-11-21 15:04:05 UTC" as Unix seconds; 0 for a moment that never came, NaN for other zones. */
export function parseSystemdTime(text: string): number {
  if (text === '' || text === 'n/a') return 0;
  const [, date] =
    /^(?:\w{3} )?(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)? UTC)$/.exec(text) ?? [];
  return date === undefined ? Number.NaN : Date.parse(date) / 1000;
}
