import { setPriority } from 'node:os';
import { attacks, type Target } from './attacks.ts';

/**
 * The process of one attack, so that its work delays neither the healthy sender nor what is measured. It has the lowest
 * priority: a real attacker's machine takes no processor from the services.
 */
export interface AttackTask {
  name: string;
  target: Target;
  seconds: number;
}

export interface AttackDone {
  told: string;
}

const lowestPriority = 19;

process.once('message', ({ name, target, seconds }: AttackTask) => {
  setPriority(lowestPriority);
  const { run } = attacks.find((attack) => attack.name === name)!;
  run(target, seconds).then((told) =>
    process.send!({ told } satisfies AttackDone, () => process.exit()),
  );
});
