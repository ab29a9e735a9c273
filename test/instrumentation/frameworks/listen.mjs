/** How long GET /slow/:id takes: longer than the caller that hangs up waits. */
export const slowMs = 400;
export const port = Number(process.env.PORT);
export const host = '127.0.0.1';
/** HTTP/2 without TLS, where the framework has it. */
export const isHttp2 = process.env.HTTP2 === '1';

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What a request brings down is the case's concern, not the process's.
process.on('uncaughtException', (error) => {
  // Nobody listens to its output any more: whoever started it is gone.
  if (error.code === 'EPIPE') process.exit(1);
  console.error(error);
});
