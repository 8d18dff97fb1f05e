// Which devices, mounts or types a collector looks at, by two regular expressions.

/** True where the name is to be collected. */
export type NameFilter = (name: string) => boolean;

/** Takes what `include` finds; without one, all that `exclude` does not find. */
export function newNameFilter(include: RegExp | null, exclude: RegExp | null): NameFilter {
  if (include !== null) return name => include.test(name);
  if (exclude !== null) return name => !exclude.test(name);
  return () => true;
}
