// How a rule of the check says that it is neither kept nor broken.

/** There is something to be said, and nothing is broken. */
export class Advice extends Error {}

/** The rule does not apply to this plugin. */
export class Skipped extends Error {}
