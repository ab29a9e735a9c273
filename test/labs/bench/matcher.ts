import { PathMatcher } from '../../../core/route/path-matcher.ts';

/** How many paths a CPU second are matched against 10,000 declared routes. `node test/labs/bench/matcher.ts` */
const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
const routes = Array.from({ length: 10_000 }, (_, n) => ({
  method: methods[n % 4]!,
  route: `/api/v${n % 3}/resource-${n >> 2}/{id}${n % 2 === 0 ? '/items/{item}' : ''}`,
}));
const calls = routes.map(({ method, route }, n) => ({
  method,
  path: route.replace('{id}', String(n * 7919)).replace('{item}', `abc-${n}`),
}));

let cpu = process.cpuUsage();
const matcher = new PathMatcher(routes);
console.log(`10,000 routes compiled in ${(process.cpuUsage(cpu).user / 1000).toFixed(0)} ms`);
for (let round = 0; round < 5; round += 1) {
  cpu = process.cpuUsage();
  let matched = 0;
  for (let n = 0; n < 30; n += 1) {
    for (const { method, path } of calls) if (matcher.match(method, path) >= 0) matched += 1;
  }
  const seconds = process.cpuUsage(cpu).user / 1e6;
  console.log(`${(matched / seconds / 1e6).toFixed(2)} M matches a CPU second`);
}
