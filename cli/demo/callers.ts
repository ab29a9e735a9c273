import type { Random } from '../../core/random.ts';
import type { CallerKind } from './shop.ts';

/** The caller of one call. Addresses are private or from networks reserved for documentation. */
export interface Caller {
  address: string;
  userAgent: string;
  /** `enduser.id`; empty when the service does not report one. */
  consumer: string;
  bot: boolean;
}

const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
];
const apps = [
  { consumer: 'ios-app', userAgent: 'ShopApp/5.12 CFNetwork/1568.200 Darwin/24.3.0' },
  { consumer: 'android-app', userAgent: 'okhttp/5.1.0' },
];
const partners = [
  { consumer: 'acme-erp', userAgent: 'python-requests/2.32.3', address: '192.0.2.17' },
  { consumer: 'northwind-feed', userAgent: 'Go-http-client/2.0', address: '192.0.2.81' },
  {
    consumer: 'parcel-hub',
    userAgent: 'Apache-HttpClient/5.4 (Java/21)',
    address: '2001:db8:77::5',
  },
];
const staff = ['alice', 'bob', 'carmen', 'dmitri'];
const shoppers = 2500;

export function callerOf(kind: CallerKind, random: Random): Caller {
  const known = { consumer: '', bot: false };
  switch (kind) {
    case 'shopper':
      return { ...known, address: homeAddress(random), userAgent: random.pick(browsers) };
    case 'app':
      return { ...known, ...random.pick(apps), address: homeAddress(random) };
    case 'partner':
      return { ...known, ...random.pick(partners) };
    case 'staff': {
      const person = random.below(staff.length);
      const address = `10.20.0.${11 + person}`;
      return { ...known, address, userAgent: browsers[person % 2]!, consumer: staff[person]! };
    }
    case 'service':
      return { ...known, address: `10.0.1.${10 + random.below(6)}`, userAgent: 'shop-client/3.1' };
    case 'cron':
      return { ...known, address: '10.0.9.9', userAgent: 'shop-cron/1.0' };
    case 'crawler':
      return {
        address: `198.51.100.${random.below(12)}`,
        userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
        consumer: '',
        bot: true,
      };
  }
}

/** A few addresses make most of the calls. */
function homeAddress(random: Random): string {
  const shopper = Math.floor(shoppers * random.next() ** 2);
  if (shopper % 3 === 0) return `2001:db8:${shopper.toString(16)}::1`;
  return `203.0.113.${shopper % 254}`;
}
