/** TypeScript runs from source: Node strips the types, without a flag, from this version on. */
const majorLeast = 24;

/**
 * What to tell somebody who started us on an older Node; undefined when the version will do.
 * @param version as in `process.versions.node`: `20.11.1`
 */
export function nodeVersionMistake(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= majorLeast) return undefined;
  return `Rollcall needs Node ${majorLeast} or newer; this is Node ${version}. npm scripts bring their own: npm start`;
}
