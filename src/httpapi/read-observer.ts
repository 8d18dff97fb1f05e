// What a store can tell, while it is read, of where it reads: for whoever explains a query or says how complete
// an answer is.

/** A part of a store: a head, a block, an endpoint. */
export interface ReadPlace {
  readonly place: string;
  /** What it can have of the range asked for; Unix ms, inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
}

/** A part that could not be read. */
export interface MissingPart extends ReadPlace {
  /** External labels of what is missing, one of these sets; unknown where there are none. */
  readonly labelSets: readonly Readonly<Record<string, string>>[];
  readonly reason: string;
}

/** Is told. `asked` comes while `select` is being called, before its promise is there. */
export interface ReadObserver {
  asked(place: ReadPlace): void;
  missing(part: MissingPart): void;
}

type Times = Pick<ReadPlace, 'minTime' | 'maxTime'>;

/** A range in Unix seconds, as the API shows it. */
export function placeRange({ minTime, maxTime }: Times): { start: number; end: number } {
  return { start: minTime / 1000, end: maxTime / 1000 };
}

/** A place, as explanations show it. */
export function placeJson({ place, ...times }: ReadPlace): object {
  return { place, ...placeRange(times) };
}

/** A missing part, as explanations and statistics show it. */
export function missingJson({ labelSets, reason, place, ...times }: MissingPart): object {
  return { place, ...placeRange(times), labelSets, reason };
}

/** Collects what is missing, each part once. */
export class MissingParts implements ReadObserver {
  readonly #byPlace = new Map<string, MissingPart>();

  asked(): void {}

  missing(part: MissingPart): void {
    const known = this.#byPlace.get(part.place);
    if (!known) {
      this.#byPlace.set(part.place, part);
      return;
    }
    const minTime = Math.min(known.minTime, part.minTime);
    const maxTime = Math.max(known.maxTime, part.maxTime);
    this.#byPlace.set(part.place, { ...known, minTime, maxTime });
  }

  list(): MissingPart[] {
    return [...this.#byPlace.values()];
  }
}
