import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startAnalyzerProcess, temporaryFolder } from '../../support/process.ts';

const f = temporaryFolder();
const stalls = `${f.path}/stalls`;
mkdirSync(stalls);
const preload = (path: string) => `--import=${fileURLToPath(new URL(path, import.meta.url))}`;
const analyzer = await startAnalyzerProcess('/tmp/attack-exp/rollcall.db', {
  ROLLCALL_AUTH: 'off',
  ROLLCALL_MEMORY_MIB: '768',
  ATTACK_STALLS: stalls,
  NODE_OPTIONS: `--max-old-space-size=384 ${preload('stall.mjs')}`,
});
const base = `${analyzer.url}/api/v1`;
const cpu = () => {
  const s = readFileSync(`/proc/${analyzer.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(s[11]) + Number(s[12])) / 100;
};
const rss = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${analyzer.pid}/status`, 'utf8'))![1]) / 1024;
const stallMax = 0;
const ask = async (path: string, init: RequestInit = {}) => {
  const c = cpu();
  const t = performance.now();
  const r = await fetch(path.startsWith('http') ? path : base + path, {
    signal: AbortSignal.timeout(60_000),
    ...init,
  }).catch(
    (e) =>
      ({
        status: String(e.name),
        arrayBuffer: async () => new ArrayBuffer(0),
      }) as never as Response,
  );
  const bytes = (await r.arrayBuffer().catch(() => new ArrayBuffer(0))).byteLength;
  const out = { cpu: cpu() - c, ms: performance.now() - t, bytes, status: r.status, rss: rss() };
  if (out.cpu > 0.7 || out.rss > 700)
    console.log(
      `${out.cpu.toFixed(2)} s CPU ${out.ms.toFixed(0)} ms ${(bytes / 1e6).toFixed(1)} MB ${out.status} rss ${out.rss.toFixed(0)} ${init.method ?? 'GET'} ${path.slice(0, 200)}`,
    );
  return out;
};
await ask('/report?limit=1');
const report = (await (await fetch(`${base}/report?limit=3`)).json()) as any;
const id = report.endpoints[0].id;
const service = encodeURIComponent(report.endpoints[0].service);
const windows = ['window=1825d', 'from=2020-01-01T00:03:00Z&to=2026-11-27T20:07:00Z'];
  'window=5y',
  'window=1825d',
  'window=3650d',
  'window=24h',
  'from=2020-01-01T00:03:00Z&to=2026-11-27T20:07:00Z',
];
const paths: string[] = [];
for (const w of windows) {
  for (const format of ['json', 'csv', 'md', 'ndjson', 'pdf']) {
    for (const p of [
      '/report',
      '/report/top',
      '/report/dead',
      '/report/removed',
      '/report/deprecated',
      '/clients',
      '/consumers',
      '/compare',
      '/calls',
      '/services',
      '/events',
      '/summary',
      '/timeseries',
      `/services/${service}/openapi`,
    ])
      paths.push(`${p}?${w}&format=${format}`);
  }
  for (const interval of ['minute', '5m', 'hour', 'day', 'week', 'month'])
    for (const g of [
      '',
      'endpoint',
      'method',
      'status_class',
      'status',
      'outcome',
      'version',
      'consumer',
    ])
      paths.push(
        `/timeseries?${w}&interval=${interval}${g ? `&group_by=${g}&top=50` : ''}&apdex_t_ms=100&tz=America/New_York`,
      );
  paths.push(
    `/report?${w}&spark=2000&limit=10000`,
    `/report?${w}&spark=60&limit=10000`,
    `/report?${w}&limit=10000&sort=p99_duration_ms`,
    `/report?${w}&limit=10000&q=a`,
    `/report?${w}&limit=10000&route=${'*a'.repeat(200)}`,
    `/latency?${w}`,
    `/compare?${w}&by=version`,
    `/compare?${w}&limit=10000`,
    `/endpoints/${id}?${w}`,
    `/slice?${w}&client=10.0.0.1`,
    `/slice?${w}&status_code=200`,
    `/calls?${w}&sort=duration&limit=2000`,
    `/calls?${w}&client=1&duration_min=1&limit=2000`,
    `/clients?${w}&version=1&limit=10000`,
    `/consumers?${w}&agents=true&limit=10000&callers=true`,
  );
}
paths.push(
  `/endpoints/${id}/evidence`,
  `/endpoints/${id}/evidence?format=md`,
  `/endpoints/${id}/verdicts`,
  '/report/dead/history',
  '/doctor',
  '/doctor?format=md',
  '/decisions',
  '/openapi.json',
);
const statuses = new Map<number | string, number>();
const bad: string[] = [];
let n = 0;
const startS = performance.now();
for (const p of paths) {
  const { status } = await ask(p);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (status >= 500 || typeof status === 'string') bad.push(`${status} ${p}`);
  n += 1;
  if (performance.now() - startS > Number(process.argv[2] ?? 300) * 1000) {
    console.log('cut at', n, 'of', paths.length);
    break;
  }
}
console.log([...statuses], bad.slice(0, 20));
const st = readFileSync(`${stalls}/${analyzer.pid}`, 'utf8')
  .trim()
  .split('\n')
  .map((l) => Number(l.split(',')[1]));
console.log(
  'max stall',
  Math.max(...st),
  'HWM',
  readFileSync(`/proc/${analyzer.pid}/status`, 'utf8').match(/VmHWM.*/)![0],
  'total CPU',
  cpu(),
);
await analyzer.stop();
f.remove();
