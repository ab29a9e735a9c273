/**
 * Whether a status may come from code before every endpoint (redirects, authentication, limits), so that it
 * does not show that the endpoint exists: a scanner gets 401 for every path.
 */
export function isPreHandlerStatus(status: number): boolean {
  return status >= 300 && status < 500 && !answers.has(status);
}

/** Statuses that only a handler gives, which has examined the request's subject. */
const answers = new Set([304, 409, 412, 422, 428]);
