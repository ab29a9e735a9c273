import { readFileSync } from 'node:fs';

/** An answer of the demo. */
interface Example {
  /** Method and address, as it was asked for. */
  request: string;
  answer: object;
}

/** By operation id; `npm run examples` writes the file. */
export const examples: Readonly<Record<string, Example>> = JSON.parse(
  readFileSync(new URL('examples.json', import.meta.url), 'utf8'),
);

export const exampleAnswers: ReadonlyMap<string, object> = new Map(
  Object.entries(examples).map(([name, { answer }]) => [name, answer]),
);
