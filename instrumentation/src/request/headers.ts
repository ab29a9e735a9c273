/**
 * Names of headers whose values are secrets: never captured, even when the app lists them. A name with one of these
 * words in it counts too, so that a header unknown to this list does not leak.
 */
const secret =
  /^(authorization|proxy-authorization|authentication-info|cookie2?|set-cookie2?)$|(^|[-_])(api[-_]?key|apikey|key|token|secret|password|passwd|auth|session|credentials?|signature|jwt|csrf|xsrf)([-_]|$)/;

/**
 * The names of request headers to capture, in lower case.
 * @param refused called with each name that is a secret's
 */
export function capturedHeaders(
  names: readonly string[],
  refused: (name: string) => void,
): readonly string[] {
  const captured = new Set<string>();
  for (const name of names) {
    const lower = name.trim().toLowerCase();
    if (secret.test(lower)) refused(lower);
    else if (/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(lower)) captured.add(lower);
  }
  return [...captured];
}
