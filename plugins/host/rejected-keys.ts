// Where in the configuration a mistake is that only a plugin could find.

/** Keys from the root of the configuration to the mistake, for whoever knows lines and columns. */
export class RejectedKeys extends Error {
  override readonly name: string = 'RejectedKeys';
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super(keys.join('.'));
    this.keys = keys;
  }
}
