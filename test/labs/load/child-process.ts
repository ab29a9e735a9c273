import { fork } from 'node:child_process';

/**
 * Gives a script of ours its task in one message, and waits for its one answer: load has to come from a
 * process of its own. @throws Error when the child ended without an answer
 */
export function answerOfChild<Task extends object, Result>(
  script: URL,
  task: Task,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let answered = false;
    child.once('message', (result) => {
      answered = true;
      resolve(result as Result);
    });
    child.once('exit', (code, signal) => {
      if (!answered)
        reject(new Error(`${script.pathname} ended with ${signal ?? code} and no result`));
    });
    child.send(task);
  });
}
