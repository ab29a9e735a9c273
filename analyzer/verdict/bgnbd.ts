/**
 * The BG/NBD model of customers who come, and one day come no more (Fader, Hardie and Lee, "Counting Your Customers"
 * the Easy Way, Marketing Science 24(2), 2005). Here a customer is an endpoint and a purchase is a day on which it
 * is used.
 */
export interface Parameters {
  /** Gamma distribution of the rates of use: shape, and inverse scale in days. */
  r: number;
  alpha: number;
  /** Beta distribution of the chance to end after a use. */
  a: number;
  b: number;
}

/** One endpoint's history. */
export interface History {
  /** Days of use after the first one. */
  x: number;
  /** Days from the first to the last use, and from the first use to now. */
  tx: number;
  t: number;
}

/** The probability that the endpoint will be used again: 1 without a repeated use, as in the paper. */
export function aliveProbability({ r, alpha, a, b }: Parameters, { x, tx, t }: History): number {
  if (x <= 0) return 1;
  const ended = (r + x) * Math.log((alpha + t) / (alpha + tx)) + Math.log(a / (b + x - 1));
  return 1 / (1 + Math.exp(ended));
}

/** Equation 6 of the paper, as logarithm. */
export function logLikelihood({ r, alpha, a, b }: Parameters, { x, tx, t }: History): number {
  const common = logGamma(r + x) - logGamma(r) + r * Math.log(alpha);
  const chance = logGamma(a + b) + logGamma(b + x) - logGamma(b) - logGamma(a + b + x);
  const alive = -(r + x) * Math.log(alpha + t);
  if (x <= 0) return common + chance + alive;
  const ended = Math.log(a) - Math.log(b + x - 1) - (r + x) * Math.log(alpha + tx);
  const most = Math.max(alive, ended);
  return common + chance + most + Math.log(Math.exp(alive - most) + Math.exp(ended - most));
}

/**
 * What is believed before any endpoint is seen: log-normal around these values. Their weight is that of about ten
 * endpoints, so a project of a few hundred decides for itself.
 */
export const prior: Parameters = { r: 0.8, alpha: 4, a: 0.6, b: 30 };
const priorDeviation = 0.8;

/** Endpoints that a fit reads; more change the third digit only. */
const fittedHistories = 400;

/**
 * The most probable parameters: maximum a posteriori, by Nelder and Mead's simplex over their logarithms. The same
 * histories in the same order give the same numbers.
 */
export function fit(
  histories: readonly History[],
  { deviation = priorDeviation, iterations = 160, most = fittedHistories } = {},
): Parameters {
  const step = Math.max(1, Math.ceil(histories.length / most));
  const sample = histories.filter((_, i) => i % step === 0);
  if (sample.length === 0) return prior;
  const center = [prior.r, prior.alpha, prior.a, prior.b].map(Math.log);
  const cost = (point: readonly number[]): number => {
    const parameters = parametersAt(point);
    let sum = 0;
    for (const history of sample) sum -= logLikelihood(parameters, history);
    point.forEach((value, i) => {
      sum += ((value - center[i]!) / deviation) ** 2 / 2;
    });
    return sum;
  };
  return parametersAt(simplex(cost, center, iterations));
}

/** Logarithms are held within bounds beyond which the model says nothing new. */
function parametersAt(point: readonly number[]): Parameters {
  const [r, alpha, a, b] = point.map((value) => Math.exp(Math.min(9, Math.max(-7, value))));
  return { r: r!, alpha: alpha!, a: a!, b: b! };
}

/** Nelder and Mead 1965. */
function simplex(
  cost: (point: readonly number[]) => number,
  start: readonly number[],
  iterations: number,
): readonly number[] {
  const corner = (point: number[]) => ({ point, cost: cost(point) });
  const corners = [corner([...start])];
  for (let i = 0; i < start.length; i++) {
    corners.push(corner(start.map((value, n) => (n === i ? value + 0.7 : value))));
  }
  for (let round = 0; round < iterations; round++) {
    corners.sort((a, b) => a.cost - b.cost);
    const worst = corners.at(-1)!;
    if (worst.cost - corners[0]!.cost < 1e-7) break;
    const others = corners.slice(0, -1);
    const middle = start.map((_, i) => {
      return others.reduce((sum, { point }) => sum + point[i]!, 0) / others.length;
    });
    const toward = (share: number) =>
      corner(middle.map((value, i) => value + share * (value - worst.point[i]!)));
    const reflected = toward(1);
    if (reflected.cost < corners[0]!.cost) {
      const expanded = toward(2);
      corners[corners.length - 1] = expanded.cost < reflected.cost ? expanded : reflected;
    } else if (reflected.cost < others.at(-1)!.cost) {
      corners[corners.length - 1] = reflected;
    } else {
      const contracted = toward(reflected.cost < worst.cost ? 0.5 : -0.5);
      if (contracted.cost < Math.min(worst.cost, reflected.cost)) {
        corners[corners.length - 1] = contracted;
      } else {
        const best = corners[0]!.point;
        corners.forEach(({ point }, i) => {
          if (i > 0) corners[i] = corner(point.map((value, n) => (value + best[n]!) / 2));
        });
      }
    }
  }
  corners.sort((a, b) => a.cost - b.cost);
  return corners[0]!.point;
}

/** Lanczos' approximation, within 1e-13 of ln Γ for positive numbers. */
export function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const x = z - 1;
  let sum = 0.999_999_999_999_809_9;
  for (let i = 0; i < lanczos.length; i++) sum += lanczos[i]! / (x + i + 1);
  const t = x + lanczos.length - 0.5;
  return 0.918_938_533_204_672_7 + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

const lanczos = [
  676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_1, -176.615_029_162_140_6,
  12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6,
  1.505_632_735_149_311_6e-7,
];
