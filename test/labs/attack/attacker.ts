import { attacks, type Target } from './attacks.ts';

/** The process of one attack, so that its work delays neither the healthy sender nor what is measured. */
export interface AttackTask {
  name: string;
  target: Target;
  seconds: number;
}

export interface AttackDone {
  told: string;
}

process.once('message', ({ name, target, seconds }: AttackTask) => {
  const { run } = attacks.find((attack) => attack.name === name)!;
  run(target, seconds).then((told) =>
    process.send!({ told } satisfies AttackDone, () => process.exit()),
  );
});
