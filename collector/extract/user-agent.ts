/** The product of a User-Agent: `curl`, `python-requests`, `Chrome`, `Googlebot`. */
export interface Agent {
  /** The product's name without version; '' when there was no User-Agent. */
  product: string;
  /** A crawler, scanner, link preview or monitor: no caller that anybody would miss. */
  bot: boolean;
}

/** @param userAgent as sent; its length bounds the work, so cut it first (limits.userAgentBytes) */
export function agentOf(userAgent: string): Agent {
  const text = userAgent.trim();
  if (text === '') return { product: '', bot: false };
  // A URL in the text is a robot's page about itself, not its name.
  const named = text.replace(/https?:\/\/[^\s;)]*/g, '');
  const product = /^Mozilla\/\d/.test(text) ? browserName(named) : firstProduct(named);
  const robot = robotName(named, product);
  if (robot !== '') return { product: cut(robot), bot: true };
  return { product: cut(product), bot: robotWord.test(text) };
}

/** Longer names are no names; random ones of a scanner must not be kept whole. */
const productCharacters = 64;

function cut(product: string): string {
  return product.length <= productCharacters ? product : product.slice(0, productCharacters);
}

/** The robot's own name, '' when the text names none. */
function robotName(text: string, product: string): string {
  const byProduct = robots.get(product.toLowerCase());
  if (byProduct !== undefined) return byProduct;
  for (const [token] of text.matchAll(/[A-Za-z][\w.!-]*/g)) {
    const known = robots.get(token.toLowerCase());
    if (known !== undefined) return known;
  }
  const word = robotWord.exec(text);
  if (word === null) return '';
  // The word's whole token: `Googlebot-Image`, `AhrefsBot`.
  let start = word.index;
  while (start > 0 && nameCharacter.test(text[start - 1]!)) start -= 1;
  let end = word.index + word[0].length;
  while (end < text.length && nameCharacter.test(text[end]!)) end += 1;
  const token = text.slice(start, end);
  return token.length === word[0].length ? product : token;
}

/** Cubot makes telephones. */
const robotWord = /(?<!cu)(?:bot|crawler|spider|scanner|slurp)(?![a-z])/i;
const nameCharacter = /[\w.!-]/;

/** Robots that do not call themselves one: a token of the text, or the product it begins with. */
const robotList = {
  fetchers: `facebookexternalhit facebookcatalog meta-externalagent meta-externalfetcher WhatsApp
    SkypeUriPreview Google-InspectionTool GoogleOther Google-Read-Aloud Feedfetcher-Google APIs-Google
    Mediapartners-Google Google-Safety BingPreview Embedly ia_archiver ChatGPT-User Claude-User
    Perplexity-User anthropic-ai cohere-ai Bytespider Qwantify W3C_Validator Chrome-Lighthouse`,
  monitors: `UptimeRobot Pingdom StatusCake Site24x7 Checkly NewRelicPinger DatadogSynthetics
    Blackbox-Exporter Prometheus kube-probe ELB-HealthChecker GoogleHC GoogleStackdriverMonitoring-UptimeChecks
    Amazon-Route53-Health-Check-Service check_http HAProxy Zabbix Nagios Uptime-Kuma updown.io Catchpoint`,
  scanners: `sqlmap Nikto Nmap masscan zgrab Nuclei WPScan DirBuster gobuster ffuf feroxbuster
    CensysInspect Expanse l9explore l9tcpid LeakIX Shodan InternetMeasurement ZmEu Morfeus Acunetix
    Netsparker Nessus OpenVAS w3af Arachni Qualys`,
  harvesters: `Scrapy HeadlessChrome PhantomJS Puppeteer Playwright HTTrack heritrix Nutch`,
};
const robotProducts = [
  'Datadog Agent',
  'Consul Health Check',
  'Edge Health Probe',
  'Blackbox Exporter',
  'Fuzz Faster U Fool',
  'Hello World',
  'Hello, World!',
];
const robots = new Map(
  [...Object.values(robotList).flatMap((names) => names.split(/\s+/)), ...robotProducts].map(
    (name) => [name.toLowerCase(), name],
  ),
);

/** The most specific name first: Edge also names Chrome and Safari, Chrome names Safari. */
const browsers: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOPT\/|\bOpera/, 'Opera'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bYaBrowser\//, 'Yandex Browser'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bDuckDuckGo\//, 'DuckDuckGo'],
  [/\bUCBrowser\//, 'UC Browser'],
  [/\bElectron\//, 'Electron'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bCriOS\/|\bChrom(?:e|ium)\//, 'Chrome'],
  [/\bMSIE |\bTrident\//, 'Internet Explorer'],
  [/PowerShell\//, 'PowerShell'],
  [/\bSafari\/|\bAppleWebKit\//, 'Safari'],
];

function browserName(text: string): string {
  for (const [pattern, name] of browsers) if (pattern.test(text)) return name;
  // `Mozilla/5.0 (compatible; Name/1.0; +https://…)`, or what stands behind the comment.
  const compatible = /\(compatible; *([A-Za-z][^;/)]*)/.exec(text)?.[1];
  if (compatible) return compatible.trim();
  return /\) ([A-Za-z][\w.-]*)\//.exec(text)?.[1] ?? 'Mozilla';
}

/** `curl/8.5.0`, `Apache-HttpClient/5.3 (Java/21)`, `Amazon CloudFront`, `Slackbot 1.0 (+https://…)`. */
function firstProduct(text: string): string {
  const name = /^[^/(;]*/.exec(text)![0].trim();
  // A version behind a blank is no part of the name.
  const bare = name.replace(/\s+v?\d.*$/i, '');
  return bare === '' ? (/[\w.!-]+/.exec(text)?.[0] ?? '') : bare;
}
