/**
 * Headers whose values are secrets: never taken, whoever names them. A name that looks like one counts too,
 * so that a header nobody thought of here is not the one that leaks.
 */
const secret =
  /^(authorization|proxy-authorization|authentication-info|cookie2?|set-cookie2?)$|(^|[-_])(api[-_]?key|apikey|key|token|secret|password|passwd|auth|session|credentials?|signature|jwt|csrf|xsrf)([-_]|$)/;

/**
 * The names of request headers to take, in lower case.
 * @param refused is told of each that is a secret
 */
export function takenHeaders(
  names: readonly string[],
  refused: (name: string) => void,
): readonly string[] {
  const taken = new Set<string>();
  for (const name of names) {
    const lower = name.trim().toLowerCase();
    if (secret.test(lower)) refused(lower);
    else if (/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(lower)) taken.add(lower);
  }
  return [...taken];
}
