/** A service that ends in the way that ENDING names; `/crash` and the like end it from a request. */
const cluster = require('node:cluster');
const http = require('node:http');

const ending = process.env.ENDING;
const isPrimary = ending.startsWith('cluster') && cluster.isPrimary;

const server = http.createServer((request, response) => {
  response.end('ok');
  if (request.url !== '/end') return;
  // After the answer has gone out.
  response.on('close', () => setImmediate(() => fromRequest[ending]?.()));
});

const closed = (then) => {
  server.close(then);
  server.closeAllConnections();
};
const reRaise = (signal) => process.kill(process.pid, signal);

/** Ways that a request begins. */
const fromRequest = {
  exit: () => process.exit(4),
  'uncaught exception': () => {
    throw new Error('crashed');
  },
  'unhandled rejection': () => void Promise.reject(new Error('rejected')),
  'nothing left to do': () => closed(),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
};

/** Ways that a signal begins. */
const setUp = {
  'signal-exit 3': () => require('signal-exit3')(() => console.log('signal-exit was called')),
  'signal-exit 4': () =>
    require('signal-exit4').onExit(() => console.log('signal-exit was called')),
  'once, closes, raises again': () => {
    process.once('SIGTERM', (signal) => closed(() => reRaise(signal)));
  },
  'on, closes, removes, raises again': () => {
    const handler = (signal) => {
      closed(() => {
        process.removeListener('SIGTERM', handler);
        reRaise(signal);
      });
    };
    process.on('SIGTERM', handler);
  },
  'removes all, raises again': () => {
    process.on('SIGTERM', (signal) => {
      process.removeAllListeners(signal);
      process.kill(process.pid, 15);
    });
  },
  'process.exit in the handler': () => process.on('SIGTERM', () => process.exit(0)),
  'process.exit at SIGINT': () => process.on('SIGINT', () => closed(() => process.exit(6))),
  'process.exit(3) after close': () => {
    process.on('SIGTERM', () => closed(() => process.exit(3)));
  },
  'handler that takes its time': () => {
    process.on('SIGTERM', () => {
      console.log('own handler');
      setTimeout(() => process.exit(5), 400);
    });
  },
  'exit listener sets the code': () => {
    process.on('exit', () => {
      process.exitCode = 7;
    });
    process.on('SIGTERM', () => process.exit());
  },
  'handler that only closes': () => {
    process.on('SIGTERM', () => {
      console.log('own handler');
      closed();
    });
  },
  'listener added and removed': () => {
    const handler = () => process.exit(9);
    process.on('SIGTERM', handler);
    setTimeout(() => process.removeListener('SIGTERM', handler), 20);
  },
  'once for SIGUSR2, raises again': () => {
    process.once('SIGUSR2', (signal) => closed(() => reRaise(signal)));
  },
};

function fork() {
  cluster.fork().on('message', (line) => console.log(line));
  if (ending === 'cluster, primary disconnects') {
    process.on('SIGTERM', () => cluster.disconnect(() => process.exit(0)));
  }
  if (ending === 'cluster, primary kills') {
    process.on('SIGTERM', () => {
      for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
      cluster.on('exit', () => process.exit(0));
    });
  }
}

if (isPrimary) fork();
else {
  // LATE=1: handlers come when the server listens already.
  if (process.env.LATE !== '1') setUp[ending]?.();
  server.listen(0, '127.0.0.1', () => {
    if (process.env.LATE === '1') setUp[ending]?.();
    const line = `listening ${server.address().port}`;
    // PM2 has a channel to its apps as well, and reads their output.
    if (ending.startsWith('cluster')) process.send(line);
    else console.log(line);
  });
}
