/** How long GET /slow takes at least. */
export const slowMs = 50;

/** Starts the service where it is told. @param start begins to listen at (port, host) */
export function listen(start) {
  start(Number(process.env.PORT), '127.0.0.1');
}
