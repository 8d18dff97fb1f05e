// Which Node.js the program runs on. package.json says the same under "engines"; a test holds them equal.

/** Oldest Node.js that runs the program, as major.minor. */
export const NODE_MIN = '22.18';

/** What is wrong with a Node.js of this version, with the mend; null where nothing is. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = NODE_MIN.split('.').map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return null;
  return `needs Node.js ${NODE_MIN} or newer, this is ${version}; "npm run outpost --" brings its own`;
}
