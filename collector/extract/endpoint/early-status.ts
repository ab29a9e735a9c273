/**
 * Whether a status may come from what stands before every endpoint (redirects, authentication, limits), so
 * that it says nothing of whether there is one: a scanner gets 401 for every path it makes up.
 */
export function isPreHandlerStatus(status: number): boolean {
  return status >= 300 && status < 500 && !answers.has(status);
}

/** Statuses that only something which looked at the request's subject gives. */
const answers = new Set([304, 409, 412, 422, 428]);
