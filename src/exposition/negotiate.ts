// Which exposition format a reader gets: the best that its Accept header asks for, else text 0.0.4, which
// everything in the field reads.

import type { Dialect } from './dialect.ts';
import { ESCAPING_SCHEMES, type EscapingScheme } from './escaping.ts';
import { openMetricsDialect } from './openmetrics.ts';
import { textDialect } from './text.ts';

/** A chosen format. */
export interface Exposition {
  readonly format: 'text' | 'openmetrics' | 'protobuf';
  readonly contentType: string;
  /** Of the text formats; protobuf takes no more of it than how names are escaped. */
  readonly dialect: Dialect;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Chooses a text format by an Accept header; the earlier of two equally wanted formats wins. */
export function negotiateExposition(accept: string | undefined): Exposition {
  return negotiate(accept, expositionFor);
}

/** As `negotiateExposition`, for who can write protobuf, too. */
export function negotiateAnyExposition(accept: string | undefined): Exposition {
  return negotiate(accept, clause => protobufFor(clause) ?? expositionFor(clause));
}

function negotiate(
  accept: string | undefined,
  choose: (clause: Clause) => Exposition | null,
): Exposition {
  for (const clause of parseAccept(accept ?? '')) {
    const chosen = choose(clause);
    if (chosen) return chosen;
  }
  return text('0.0.4', undefined);
}

/** Clauses by falling quality, those of equal quality in their order; refused ones (q=0) are left out. */
function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(',').map(parseClause);
  return clauses.filter(c => c.quality > 0).sort((a, b) => b.quality - a.quality);
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';').map(part => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf('=');
    if (at < 0) continue;
    const value = part.slice(at + 1).trim();
    parameters.set(part.slice(0, at).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  const quality = Number(parameters.get('q') ?? '1');
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
}

function expositionFor({ type, parameters }: Clause): Exposition | null {
  const version = parameters.get('version');
  const escaping = ESCAPING_SCHEMES.find(scheme => scheme === parameters.get('escaping'));
  if (type === 'application/openmetrics-text') {
    if (version === '1.0.0') return openMetrics('1.0.0', escaping);
    // A reader that names no version gets the older label of the same format, as client_golang does.
    return version === '0.0.1' || version === undefined ? openMetrics('0.0.1', escaping) : null;
  }
  if (type === 'text/plain') {
    if (version === '1.0.0') return text('1.0.0', escaping);
    return version === '0.0.4' || version === undefined ? text('0.0.4', escaping) : null;
  }
  return type === '*/*' || type === 'text/*' ? text('0.0.4', escaping) : null;
}

function protobufFor({ type, parameters }: Clause): Exposition | null {
  const isFamilies = parameters.get('proto') === 'io.prometheus.client.MetricFamily';
  const isDelimited = (parameters.get('encoding') ?? 'delimited') === 'delimited';
  if (type !== 'application/vnd.google.protobuf' || !isFamilies || !isDelimited) return null;
  const escaping = ESCAPING_SCHEMES.find(scheme => scheme === parameters.get('escaping'));
  const base = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily';
  const shown = escaping === undefined ? '' : `; escaping=${escaping}`;
  return {
    format: 'protobuf',
    contentType: `${base}; encoding=delimited${shown}`,
    dialect: textDialect(escaping ?? 'underscores'),
  };
}

function text(version: '0.0.4' | '1.0.0', escaping: EscapingScheme | undefined): Exposition {
  const scheme = escaping ?? 'underscores';
  const shown = escaping ?? (version === '1.0.0' ? scheme : undefined);
  return {
    format: 'text',
    contentType: contentType('text/plain', version, shown),
    dialect: textDialect(scheme),
  };
}

function openMetrics(version: '0.0.1' | '1.0.0', escaping: EscapingScheme | undefined): Exposition {
  return {
    format: 'openmetrics',
    contentType: contentType('application/openmetrics-text', version, escaping),
    dialect: openMetricsDialect(escaping ?? 'underscores'),
  };
}

function contentType(type: string, version: string, escaping: EscapingScheme | undefined): string {
  const base = `${type}; version=${version}; charset=utf-8`;
  return escaping === undefined ? base : `${base}; escaping=${escaping}`;
}
