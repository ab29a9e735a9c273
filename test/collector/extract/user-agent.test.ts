import { expect, test } from 'vitest';
import { agentOf } from '../../../collector/extract/user-agent.ts';

const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

test.each([
  ['curl/8.5.0', 'curl'],
  ['python-requests/2.32.5', 'python-requests'],
  ['Go-http-client/1.1', 'Go-http-client'],
  ['Apache-HttpClient/5.3 (Java/21.0.2)', 'Apache-HttpClient'],
  ['okhttp/5.1.0', 'okhttp'],
  ['node', 'node'],
  ['PostmanRuntime/7.43.0', 'PostmanRuntime'],
  ['Amazon CloudFront', 'Amazon CloudFront'],
  ['Dart/3.5 (dart:io)', 'Dart'],
  ['MyShop 3.2.1 (iPhone; iOS 18.6)', 'MyShop'],
  ['MyShop/3 CFNetwork/1568 Darwin/24', 'MyShop'],
  ['(weird)', 'weird'],
  [`Mozilla/5.0 (X11; Linux x86_64) ${chrome}`, 'Chrome'],
  [`Mozilla/5.0 (Windows NT 10.0) ${chrome} Edg/141.0.0.0`, 'Edge'],
  [`Mozilla/5.0 (Windows NT 10.0) ${chrome} OPR/122.0`, 'Opera'],
  [`Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) ${chrome}`, 'Chrome'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1 CriOS/141.0 Mobile Safari/604.1',
    'Chrome',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile Safari/604.1',
    'Safari',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0', 'Firefox'],
  ['Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko', 'Internet Explorer'],
  ['Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041', 'PowerShell'],
  ['Mozilla/5.0 (compatible; Acme Sync/1.0)', 'Acme Sync'],
  ['Mozilla/5.0', 'Mozilla'],
  ['', ''],
  ['   ', ''],
])('%s is %s', (userAgent, product) => {
  expect(agentOf(userAgent)).toEqual({ product, bot: false });
});

test.each([
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot'],
  [`Mozilla/5.0 ${chrome}; compatible; GPTBot/1.2; +https://openai.com/gptbot)`, 'GPTBot'],
  ['Googlebot-Image/1.0', 'Googlebot-Image'],
  ['Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help)', 'Yahoo! Slurp'],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'Slackbot-LinkExpanding'],
  [
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'facebookexternalhit',
  ],
  [
    `Mozilla/5.0 (X11; Linux x86_64) ${chrome.replace('Chrome', 'HeadlessChrome')}`,
    'HeadlessChrome',
  ],
  ['Mozilla/5.0 zgrab/0.x', 'zgrab'],
  ['sqlmap/1.8#stable (https://sqlmap.org)', 'sqlmap'],
  ['kube-probe/1.31', 'kube-probe'],
  ['ELB-HealthChecker/2.0', 'ELB-HealthChecker'],
  ['Consul Health Check', 'Consul Health Check'],
  ['SomeFetcher/1.0 (+https://example.com/bot.html)', 'SomeFetcher'],
  ['My bot 1.0', 'My bot'],
])('%s is the robot %s', (userAgent, product) => {
  expect(agentOf(userAgent)).toEqual({ product, bot: true });
});

test('a name is bounded', () => {
  expect(agentOf('x'.repeat(500)).product).toBe('x'.repeat(64));
  expect(agentOf(`${'x'.repeat(500)}bot`).product).toBe('x'.repeat(64));
});
